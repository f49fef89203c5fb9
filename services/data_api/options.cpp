#include "services/data_api/options.hpp"

#include <algorithm>

#include "services/data_api/database/connection.hpp"

namespace aim::data_api {
namespace {

using std::chrono::milliseconds;

// From DATABASE_URL, from POSTGRES_HOST and its companions, or from libpq's own PGHOST or
// PGSERVICE.
SecretString ReadConninfo(config::Reader& reader) {
    if (const SecretString url = reader.Secret("DATABASE_URL"); !url.empty()) {
        SecretString conninfo(WithoutDriver(url.Reveal()));
        if (const std::string error = database::CheckConninfo(conninfo); !error.empty())
            reader.AddError("DATABASE_URL", error);
        return conninfo;
    }
    const std::string host = reader.Text("POSTGRES_HOST");
    const auto port = reader.Integer("POSTGRES_PORT", 5432, 1, 65535);
    const std::string name = reader.Text("POSTGRES_DB", "ai_manager_db");
    const std::string user = reader.Text("POSTGRES_USER", "postgres");
    const SecretString password = reader.Secret("POSTGRES_PASSWORD");
    if (host.empty()) {
        if (!reader.environment().Has("PGHOST") && !reader.environment().Has("PGSERVICE")) {
            reader.AddError("DATABASE_URL", "is not set, and neither is POSTGRES_HOST");
        }
        return {};
    }
    std::string conninfo = "host=" + QuoteConninfo(host) + " port=" + std::to_string(port) +
                           " dbname=" + QuoteConninfo(name) + " user=" + QuoteConninfo(user);
    if (!password.empty()) conninfo.append(" password=").append(QuoteConninfo(password.Reveal()));
    return SecretString(std::move(conninfo));
}

}  // namespace

std::string WithoutDriver(std::string_view url) {
    const std::size_t scheme_end = url.find("://");
    const std::size_t plus = url.find('+');
    if (scheme_end == std::string_view::npos || plus == std::string_view::npos || plus > scheme_end)
        return std::string(url);
    return std::string(url.substr(0, plus)).append(url.substr(scheme_end));
}

std::string QuoteConninfo(std::string_view value) {
    std::string quoted = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') quoted.push_back('\\');
        quoted.push_back(c);
    }
    return quoted + "'";
}

std::filesystem::path FindSqlFolder() {
    std::error_code ignored;
    std::filesystem::path folder =
        std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
    while (!folder.empty()) {
        for (const char* const place : {"sql", "share/aimanager/sql"}) {
            if (std::filesystem::is_directory(folder / place / "migrations", ignored))
                return folder / place;
        }
        if (folder == folder.root_path()) break;
        folder = folder.parent_path();
    }
    return {};
}

Options Options::Read(config::Reader& reader) {
    Options options;
    options.host = reader.Text("DATA_API_HOST", "127.0.0.1");
    options.port = reader.Port("DATA_API_PORT", 8001);
    options.threads = static_cast<std::size_t>(reader.Integer("DATA_API_THREADS", 4, 1, 64));
    options.conninfo = ReadConninfo(reader);
    options.token = reader.Secret("DATA_API_TOKEN");
    if (const SecretString text = reader.Secret("MASTER_KEY"); !text.empty()) {
        if (auto key = security::MasterKey::Parse(text.Reveal())) {
            options.master_key = std::move(*key);
        } else {
            reader.AddError("MASTER_KEY", key.error().message);
        }
    }
    options.database_timeout = reader.Milliseconds("DATABASE_TIMEOUT_MS", milliseconds(5000),
                                                   milliseconds(100), milliseconds(60000));
    options.database_nice = static_cast<int>(reader.Integer("DATABASE_NICE", 10, 0, 19));
    // Longer than this helps nobody: a request is done within database_timeout.
    options.drain_timeout =
        std::min(reader.Milliseconds("DRAIN_TIMEOUT_MS", milliseconds(30000)), milliseconds(10000));
    options.history_text_max = reader.Bytes("HISTORY_TEXT_MAX", 256 * 1024, 1024, 64 * 1024 * 1024);
    options.history_retention_days = reader.Integer("HISTORY_RETENTION_DAYS", 0, 0, 36500);
    options.seed = reader.Bool("DATA_API_SEED", true);
    const std::string level = reader.Text("LOG_LEVEL", "INFO");
    if (const auto parsed = telemetry::ParseLevel(level)) {
        options.log_level = *parsed;
    } else {
        reader.AddError("LOG_LEVEL", "must be DEBUG, INFO, WARNING, ERROR or CRITICAL");
    }
    const std::string sql = reader.Text("AIM_SQL_DIR");
    options.sql_folder = sql.empty() ? FindSqlFolder() : std::filesystem::path(sql);
    std::error_code error;
    if (!std::filesystem::is_directory(options.sql_folder / "migrations", error)) {
        reader.AddError("AIM_SQL_DIR", "must name the folder sql/ with migrations/ in it");
    }
    return options;
}

}  // namespace aim::data_api
