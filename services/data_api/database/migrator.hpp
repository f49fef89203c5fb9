#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "services/data_api/database/connection.hpp"

namespace aim::data_api::database {

// One numbered file of sql/migrations.
struct Migration {
    int number = 0;
    std::string name;  // the file's name without ".sql"
    std::string text;
    std::string checksum;  // SHA-256 of the text, in hexadecimal digits
};

// The migrations of a folder in order. Fails when a file's name is not NNNN_name.sql, when the
// numbers are not 1, 2, 3 …, or when a file cannot be read.
Result<std::vector<Migration>> ReadMigrations(const std::filesystem::path& folder);

// The seed texts of a folder (*.sql) in order of their names.
Result<std::vector<std::string>> ReadSeeds(const std::filesystem::path& folder);

// How applying ended: a definite refusal (a changed file, a statement that fails, a database that
// is newer than this program) is not helped by trying again, a lost connection is.
struct MigrationError {
    bool definite = true;
    std::string message;
};

// Brings the database up to the last migration, each in a transaction of its own, under an advisory
// lock, so that several processes may start at once. Returns how many were applied.
tl::expected<int, MigrationError> ApplyMigrations(Connection& connection,
                                                  const std::vector<Migration>& migrations,
                                                  MonotonicTime deadline);

// Runs the seeds unless this database was seeded before. Returns whether they were run.
tl::expected<bool, MigrationError> ApplySeeds(Connection& connection,
                                              const std::vector<std::string>& seeds,
                                              MonotonicTime deadline);

}  // namespace aim::data_api::database
