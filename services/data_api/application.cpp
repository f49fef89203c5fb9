#include "services/data_api/application.hpp"

#include <chrono>
#include <thread>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "core/http/middleware/access_log.hpp"
#include "core/http/middleware/auth.hpp"
#include "core/http/middleware/request_id.hpp"
#include "core/http/middleware/security_headers.hpp"
#include "services/data_api/database/migrator.hpp"
#include "services/data_api/handlers/documents.hpp"

#ifndef AIM_VERSION
#define AIM_VERSION "0.0.0"
#endif

namespace aim::data_api {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kPrepareTime{300};
// How long --migrate-only waits for a database that is just starting.
constexpr seconds kDatabaseStartTime{30};

sigset_t StopSignals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    return signals;
}

const Options& BlockSignals(const Options& options) {
    const sigset_t signals = StopSignals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    signal(SIGPIPE, SIG_IGN);
    return options;
}

telemetry::LogOptions LogOptionsOf(const Options& options) {
    telemetry::LogOptions log;
    log.service = "aimanager_data_postgres_api";
    log.level = options.log_level;
    return log;
}

database::ConnectionSettings SettingsOf(const Options& options) {
    database::ConnectionSettings settings;
    settings.conninfo = options.conninfo;
    settings.statement_timeout = options.database_timeout * 9 / 10;
    settings.backend_nice = options.database_nice;
    settings.connect_timeout = std::min(milliseconds(2000), options.database_timeout);
    return settings;
}

LedgerCounters AddLedgerCounters(telemetry::Metrics& metrics) {
    const auto add = [&](const char* result) -> telemetry::Counter& {
        return metrics.AddCounter("aimanager_data_api_ledger_records_total",
                                  "Records of the ledger by what became of them",
                                  {{"result", result}});
    };
    return {add("applied"), add("duplicate"), add("rejected")};
}

bool IsLoopback(std::string_view host) {
    return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace

Application::Application(Options options)
    : options_(BlockSignals(options)),
      logger_(LogOptionsOf(options_)),
      settings_(SettingsOf(options_)),
      pool_(settings_, options_.threads, state_),
      context_{.pool = pool_,
               .logger = logger_,
               .database_timeout = options_.database_timeout,
               .history_text_max = options_.history_text_max,
               .token_required = !options_.token.empty(),
               .master_key = options_.master_key},
      models_(context_),
      history_(context_),
      ledger_(context_, AddLedgerCounters(metrics_)),
      keys_(context_),
      service_(
          [this] {
              return Readiness{
                  .database_up = state_.is_up(),
                  .database_detail = state_.reason(),
                  .migrations_applied = supervisor_ && supervisor_->migrations_applied(),
                  .draining = draining_.load()};
          },
          metrics_, AIM_VERSION) {
    logger_.RegisterSecret(options_.token);
    logger_.RegisterSecret(options_.conninfo);
}

Application::~Application() = default;

int Application::Run(Mode mode) {
    if (const auto read = ReadSqlFiles(); !read) {
        logger_.Error("sql_files_unreadable", read.error().message);
        return 1;
    }
    return mode == Mode::kServe ? Serve() : PrepareDatabase(mode);
}

Result<void> Application::ReadSqlFiles() {
    auto migrations = database::ReadMigrations(options_.sql_folder / "migrations");
    if (!migrations) return Unexpected(migrations.error());
    plan_.migrations = std::move(*migrations);
    auto seeds = database::ReadSeeds(options_.sql_folder / "seed");
    if (!seeds) return Unexpected(seeds.error());
    plan_.seeds = std::move(*seeds);
    return {};
}

int Application::PrepareDatabase(Mode mode) {
    const MonotonicTime give_up = SystemClock().Now() + kDatabaseStartTime;
    for (;;) {
        database::Connection connection(settings_);
        const MonotonicTime deadline = SystemClock().Now() + kPrepareTime;
        database::MigrationError error;
        if (mode == Mode::kMigrateOnly) {
            const auto applied = ApplyMigrations(connection, plan_.migrations, deadline);
            if (applied) {
                logger_.Info("database_migrated", "The database's tables are up to date",
                             {{"migrations_applied", *applied}});
                return 0;
            }
            error = applied.error();
        } else {
            const auto seeded = ApplySeeds(connection, plan_.seeds, deadline);
            if (seeded) {
                logger_.Info("database_seeded", *seeded ? "The first models were inserted"
                                                        : "This database had been seeded before");
                return 0;
            }
            error = seeded.error();
        }
        if (error.definite || SystemClock().Now() > give_up) {
            logger_.Error("database_preparation_failed", error.message);
            return 1;
        }
        logger_.Warning("database_down", "The database cannot be used yet",
                        {{"reason", error.message}});
        std::this_thread::sleep_for(milliseconds(500));
    }
}

void Application::BuildChain() {
    chain_.Add(std::make_unique<http::RequestIdMiddleware>());
    chain_.Add(std::make_unique<http::AccessLogMiddleware>(logger_, metrics_));
    chain_.Add(std::make_unique<http::SecurityHeadersMiddleware>());
    if (options_.token.empty()) return;
    auto keys = std::make_shared<http::ConfiguredKeys>();
    keys->Add("data_api_token", options_.token);
    chain_.Add(std::make_unique<http::AuthMiddleware>(std::move(keys)));
}

int Application::Serve() {
    metrics_.AddGauge("aimanager_data_api_database_up", "1 while the database can be used",
                      [this] { return state_.is_up() ? 1.0 : 0.0; });
    metrics_.AddGauge("aimanager_data_api_connections", "Open client connections", [this] {
        return server_ ? static_cast<double>(server_->open_connections()) : 0.0;
    });
    metrics_.AddCounterCallback("aimanager_log_lines_dropped_total", "Log lines that were dropped",
                                [this] { return static_cast<double>(logger_.dropped()); });
    BuildChain();
    AddRoutes(router_, models_, history_, ledger_, keys_, service_);
    AddDocumentRoutes(router_, http::SwaggerUi::BesideProgram());

    if (!options_.seed) plan_.seeds.clear();
    plan_.retention_days = options_.history_retention_days;
    plan_.on_hopeless = [this](const std::string& reason) {
        logger_.Error("database_preparation_failed", reason);
        hopeless_.store(true);
        ::kill(::getpid(), SIGTERM);
    };
    supervisor_ = std::make_unique<database::Supervisor>(settings_, state_, logger_, plan_);

    http::pistache::ServerOptions server;
    server.host = options_.host;
    server.port = options_.port;
    server.threads = options_.threads;
    server_ = std::make_unique<http::pistache::PistacheServer>(server, router_, chain_, logger_);
    if (const auto started = server_->Start(); !started) {
        logger_.Error("listen_failed", started.error().message);
        return 1;
    }
    supervisor_->Start();
    if (options_.master_key && options_.token.empty()) {
        logger_.Warning("keys_not_readable",
                        "There is a MASTER_KEY but no DATA_API_TOKEN: models can be given keys of "
                        "their own, which no process can fetch");
    }
    if (options_.token.empty() && !IsLoopback(options_.host)) {
        logger_.Warning("open_to_the_network",
                        "Without a DATA_API_TOKEN everybody who reaches this address can read and "
                        "change everything",
                        {{"host", options_.host}});
    }
    logger_.Info("started", "The data API listens",
                 {{"host", options_.host}, {"port", server_->port()}, {"version", AIM_VERSION}});
    WaitForSignal();
    Drain();
    server_->Stop();
    supervisor_->Stop();
    logger_.Info("stopped", "The data API has stopped");
    logger_.Flush(seconds(1));
    return hopeless_.load() ? 1 : 0;
}

void Application::WaitForSignal() {
    const sigset_t signals = StopSignals();
    int signal_number = 0;
    while (sigwait(&signals, &signal_number) != 0) {
    }
}

// Idle connections are closed by the server's scan, busy ones with their next answer.
void Application::Drain() {
    draining_.store(true);
    server_->BeginDrain();
    const MonotonicTime give_up = SystemClock().Now() + options_.drain_timeout;
    while (server_->open_connections() > 0 && SystemClock().Now() < give_up)
        std::this_thread::sleep_for(milliseconds(20));
}

}  // namespace aim::data_api
