#pragma once

#include <atomic>
#include <memory>

#include "core/base/blocking_pool.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/config/environment.hpp"
#include "core/data_client/data_api_client.hpp"
#include "core/http/asio/server.hpp"
#include "core/http/client/asio_client.hpp"
#include "core/http/error_response.hpp"
#include "core/ledger/dead_letters.hpp"
#include "core/ledger/delivery.hpp"
#include "core/ledger/journal.hpp"
#include "core/pipeline/catalogue_keeper.hpp"
#include "core/pipeline/completion_service.hpp"
#include "core/plugin/registry.hpp"
#include "core/telemetry/json_line_logger.hpp"
#include "core/telemetry/metrics.hpp"
#include "services/business_api/loop_services.hpp"
#include "services/business_api/options.hpp"
#include "services/business_api/plugin_metrics.hpp"
#include "services/business_api/upstream_metrics.hpp"

namespace aim::business_api {

// The business API as one object: members start in order and stop in reverse. Made, started and
// stopped by one thread.
class Application {
  public:
    // `environment` outlives the application: plugins' settings are looked up in it whenever a row
    // changes.
    Application(Options options, const config::Environment& environment);
    ~Application();

    // Loads plugins, takes the catalogue's copy over, listens. An error names what cannot be had.
    Result<void> Start();

    // The orderly end: no longer ready, running exchanges finish (bounded), the ledger goes out.
    void Drain();

    std::uint16_t port() const { return server_->port(); }

  private:
    std::shared_ptr<const http::Router> MakeRouter(Loop& loop);
    std::shared_ptr<const http::MiddlewareChain> MakeChain();
    void RegisterSecrets(const config::Environment& environment);
    void AddGauges();
    void AddLedgerMetrics();
    void AddLimits();
    void StartServiceLoop();
    void StopServiceLoop();

    const Options options_;
    telemetry::JsonLineLogger logger_;
    telemetry::Metrics metrics_;
    pipeline::PipelineMetrics pipeline_metrics_;
    http::ErrorWriter errors_;
    std::atomic<bool> draining_{false};
    BlockingPool blocking_;

    const config::Environment& environment_;
    PluginMetrics plugin_metrics_;
    plugin::Registry registry_;
    routing::ModelStates states_;
    pipeline::RoutingTableSource tables_;
    ledger::Journal ledger_;
    ledger::DeadLetters dead_letters_;
    pipeline::PipelineShared shared_;

    UpstreamMetrics upstream_metrics_;
    EngineLoops service_loops_;  // one: catalogue and ledger
    EngineLoops engine_loops_;   // prompts
    std::shared_ptr<http::client::Resolver> resolver_;
    std::shared_ptr<const http::client::TlsContext> tls_;
    http::client::ClientOptions client_options_;
    std::unique_ptr<http::client::AsioClient> service_client_;
    std::unique_ptr<data_client::DataApiClient> data_api_;
    std::unique_ptr<pipeline::CatalogueKeeper> catalogue_;
    std::unique_ptr<ledger::Delivery> delivery_;
    std::atomic<int> service_tasks_{0};
    std::unique_ptr<http::Server> server_;
};

// The whole process: configuration, signals, start, wait, drain. Returns the exit status.
int RunProcess();

}  // namespace aim::business_api
