#include "services/data_api/database/migrator.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "core/security/sha256.hpp"

namespace aim::data_api::database {
namespace {

// "aim" and "migrate" in ASCII; any number that no other program uses on this database.
#define AIM_MIGRATION_LOCK "7020661501021"

// Held by the session until it is released or lost: CREATE TABLE IF NOT EXISTS alone races with
// itself.
constexpr const char* kPrepare =
    "SET statement_timeout = 0; SET lock_timeout = 0; SELECT pg_advisory_lock(" AIM_MIGRATION_LOCK
    "); SET client_min_messages = warning;"
    "CREATE TABLE IF NOT EXISTS schema_migrations (number integer PRIMARY KEY, name text NOT NULL, "
    "checksum text NOT NULL,"
    " applied_at timestamptz NOT NULL DEFAULT now())";
constexpr Statement kApplied{"migrations_applied",
                             "SELECT number, checksum FROM schema_migrations ORDER BY number"};
constexpr Statement kSeeded{"migrations_seeded",
                            "SELECT seeded_at IS NOT NULL FROM database_identity"};

Result<std::string> ReadFile(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file || !text) return Fail(ErrorKind::kInternal, "cannot read " + path.string());
    return std::move(text).str();
}

Result<std::vector<std::filesystem::path>> SqlFiles(const std::filesystem::path& folder) {
    std::error_code error;
    std::vector<std::filesystem::path> files;
    for (auto entry = std::filesystem::directory_iterator(folder, error);
         !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
        if (entry->path().extension() == ".sql") files.push_back(entry->path());
    }
    if (error)
        return Fail(ErrorKind::kInternal,
                    "cannot read the folder " + folder.string() + ": " + error.message());
    std::sort(files.begin(), files.end());
    return files;
}

tl::unexpected<MigrationError> FromSql(const SqlError& error, const std::string& what) {
    return tl::unexpected(MigrationError{!error.IsUnavailable() && !error.IsTransient(),
                                         what + ": " + error.message});
}

tl::unexpected<MigrationError> Refuse(std::string message) {
    return tl::unexpected(MigrationError{true, std::move(message)});
}

// A session of its own for the migrating: its settings and its lock end with it.
class ClosedAtEnd {
  public:
    explicit ClosedAtEnd(Connection& connection) : connection_(connection) {}
    ~ClosedAtEnd() { connection_.Close(); }
    ClosedAtEnd(const ClosedAtEnd&) = delete;
    ClosedAtEnd& operator=(const ClosedAtEnd&) = delete;

  private:
    Connection& connection_;
};

}  // namespace

Result<std::vector<Migration>> ReadMigrations(const std::filesystem::path& folder) {
    const auto files = SqlFiles(folder);
    if (!files) return Unexpected(files.error());
    std::vector<Migration> migrations;
    for (const auto& file : *files) {
        const std::string name = file.stem().string();
        const bool numbered = name.size() > 5 && name[4] == '_' &&
                              std::all_of(name.begin(), name.begin() + 4,
                                          [](char c) { return c >= '0' && c <= '9'; });
        const int number = numbered ? std::stoi(name.substr(0, 4)) : 0;
        if (number != static_cast<int>(migrations.size()) + 1) {
            return Fail(ErrorKind::kInternal, "the migration " + name + " is not number " +
                                                  std::to_string(migrations.size() + 1));
        }
        auto text = ReadFile(file);
        if (!text) return Unexpected(text.error());
        std::string checksum = security::ToHex(security::Sha256(*text));
        migrations.push_back({number, name, std::move(*text), std::move(checksum)});
    }
    if (migrations.empty())
        return Fail(ErrorKind::kInternal, "there are no migrations in " + folder.string());
    return migrations;
}

Result<std::vector<std::string>> ReadSeeds(const std::filesystem::path& folder) {
    const auto files = SqlFiles(folder);
    if (!files) return Unexpected(files.error());
    std::vector<std::string> seeds;
    for (const auto& file : *files) {
        auto text = ReadFile(file);
        if (!text) return Unexpected(text.error());
        seeds.push_back(std::move(*text));
    }
    return seeds;
}

tl::expected<int, MigrationError> ApplyMigrations(Connection& connection,
                                                  const std::vector<Migration>& migrations,
                                                  MonotonicTime deadline) {
    if (auto open = connection.EnsureOpen(deadline); !open)
        return FromSql(open.error(), "no connection");
    const ClosedAtEnd closed(connection);
    if (auto prepared = connection.RunScript(kPrepare, deadline); !prepared)
        return FromSql(prepared.error(), "schema_migrations");
    const auto rows = connection.RunOne(kApplied, {}, deadline);
    if (!rows) return FromSql(rows.error(), "schema_migrations");
    std::map<std::int64_t, std::string> applied;
    for (int i = 0; i < rows->size(); ++i) applied[rows->Int64(i, 0)] = rows->Text(i, 1);
    if (!applied.empty() &&
        applied.rbegin()->first > static_cast<std::int64_t>(migrations.size())) {
        return Refuse("the database was made by a newer version of this program (migration " +
                      std::to_string(applied.rbegin()->first) + ")");
    }
    int count = 0;
    for (const Migration& migration : migrations) {
        const auto known = applied.find(migration.number);
        if (known != applied.end()) {
            if (known->second == migration.checksum) continue;
            return Refuse("the migration " + migration.name +
                          " was changed after it had been applied");
        }
        // The name is digits, letters and underscores or it would have to be quoted; the checksum
        // is digits.
        std::string name;
        for (const char c : migration.name) name.append(c == '\'' ? "''" : std::string(1, c));
        const std::string script =
            "BEGIN;\n" + migration.text +
            "\n;INSERT INTO schema_migrations (number, name, checksum) VALUES (" +
            std::to_string(migration.number) + ", '" + name + "', '" + migration.checksum +
            "');\nCOMMIT";
        if (auto done = connection.RunScript(script, deadline); !done)
            return FromSql(done.error(), "migration " + migration.name);
        ++count;
    }
    return count;
}

tl::expected<bool, MigrationError> ApplySeeds(Connection& connection,
                                              const std::vector<std::string>& seeds,
                                              MonotonicTime deadline) {
    if (auto open = connection.EnsureOpen(deadline); !open)
        return FromSql(open.error(), "no connection");
    const ClosedAtEnd closed(connection);
    const auto lock = connection.RunScript(
        "SET statement_timeout = 0; SET lock_timeout = 0; SELECT "
        "pg_advisory_lock(" AIM_MIGRATION_LOCK ")",
        deadline);
    if (!lock) return FromSql(lock.error(), "seed");
    const auto seeded = connection.RunOne(kSeeded, {}, deadline);
    if (!seeded) return FromSql(seeded.error(), "seed");
    if (seeded->size() == 1 && seeded->Bool(0, 0)) return false;
    std::string script = "BEGIN;\n";
    for (const std::string& seed : seeds) script.append(seed).append("\n;");
    script.append("UPDATE database_identity SET seeded_at = now();\nCOMMIT");
    if (auto done = connection.RunScript(script, deadline); !done)
        return FromSql(done.error(), "seed");
    return true;
}

}  // namespace aim::data_api::database
