#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/base/secret_string.hpp"
#include "core/config/reader.hpp"
#include "core/security/master_key.hpp"
#include "core/telemetry/log.hpp"

namespace aim::data_api {

// The data API's settings, read once at start-up (README.md lists the variables).
struct Options {
    std::string host;
    std::uint16_t port = 8001;
    std::size_t threads = 4;
    SecretString conninfo;
    SecretString token;
    std::optional<security::MasterKey> master_key;
    std::chrono::milliseconds database_timeout{5000};
    int database_nice = 10;
    std::chrono::milliseconds drain_timeout{10000};
    std::size_t history_text_max = 256 * 1024;
    std::int64_t history_retention_days = 0;  // 0 = for ever
    bool seed = true;
    std::filesystem::path sql_folder;
    telemetry::Level log_level = telemetry::Level::kInfo;

    // Everything that is wrong stands in reader.errors() afterwards.
    static Options Read(config::Reader& reader);
};

// DATABASE_URL without a "+driver" in its scheme: postgresql+asyncpg://… is what other programs of
// the same deployment may want.
std::string WithoutDriver(std::string_view url);

// One value of a key=value connection string, quoted.
std::string QuoteConninfo(std::string_view value);

// The folder sql/ that belongs to this binary: beside it or above it. Empty when there is none.
std::filesystem::path FindSqlFolder();

}  // namespace aim::data_api
