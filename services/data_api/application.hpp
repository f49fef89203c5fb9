#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "core/base/result.hpp"
#include "core/http/middleware.hpp"
#include "core/http/pistache/pistache_server.hpp"
#include "core/http/router.hpp"
#include "core/telemetry/json_line_logger.hpp"
#include "core/telemetry/metrics.hpp"
#include "services/data_api/database/connection_pool.hpp"
#include "services/data_api/database/supervisor.hpp"
#include "services/data_api/handlers/routes.hpp"
#include "services/data_api/options.hpp"

namespace aim::data_api {

enum class Mode { kServe, kMigrateOnly, kSeedOnly };

// Composes the data API and runs it. Members start in their order and stop in reverse.
class Application {
  public:
    // SIGTERM and SIGINT are blocked for the calling thread, and so for every thread that is made
    // from it.
    explicit Application(Options options);
    ~Application();
    Application(const Application&) = delete;
    Application& operator=(const Application&) = delete;

    // Returns the process's exit status: 0 after a signal or when the one task is done, 1 when that
    // failed.
    int Run(Mode mode);

  private:
    int Serve();
    int PrepareDatabase(Mode mode);
    Result<void> ReadSqlFiles();
    void BuildChain();
    void WaitForSignal();
    void Drain();

    const Options options_;
    telemetry::JsonLineLogger logger_;
    telemetry::Metrics metrics_;
    database::ConnectionSettings settings_;
    database::DatabaseState state_;
    database::Supervisor::Plan plan_;
    std::unique_ptr<database::Supervisor> supervisor_;
    database::ConnectionPool pool_;
    ApiContext context_;
    ModelHandlers models_;
    HistoryHandlers history_;
    LedgerHandler ledger_;
    KeyHandlers keys_;
    ServiceHandlers service_;
    http::Router router_;
    http::MiddlewareChain chain_;
    std::unique_ptr<http::pistache::PistacheServer> server_;
    std::atomic<bool> draining_{false};
    std::atomic<bool> hopeless_{false};
};

}  // namespace aim::data_api
