#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/base/task.hpp"
#include "core/config/environment.hpp"
#include "core/data_client/data_api_client.hpp"
#include "core/http/client/asio_client.hpp"
#include "core/ledger/dead_letters.hpp"
#include "core/ledger/delivery.hpp"
#include "core/ledger/journal.hpp"
#include "core/pipeline/catalogue_keeper.hpp"
#include "core/pipeline/pipeline_shared.hpp"
#include "core/plugin/registry.hpp"
#include "core/runtime/loop_watchdog.hpp"
#include "core/runtime/options.hpp"
#include "core/runtime/plugin_metrics.hpp"
#include "core/runtime/upstream_metrics.hpp"
#include "core/telemetry/json_line_logger.hpp"
#include "core/telemetry/metrics.hpp"

namespace aim::runtime {

// What a process needs around its engine loops to talk to models: the plugins, the catalogue as a
// routing table, the ledger and its delivery, on a service loop of its own; and what every loop's
// upstream client is made from. Members start in order and stop in reverse. Made, started and
// stopped by one thread, after whose loops it is stopped; what it refers to is safe for any thread.
class ModelRuntime {
  public:
    // All of these outlive the runtime: plugins' settings are looked up in `environment` whenever a
    // row changes. Every secret of the environment is made known to the logger, which shows *** in
    // its place.
    ModelRuntime(const Options& options, const config::Environment& environment,
                 telemetry::JsonLineLogger& logger, telemetry::Metrics& metrics);
    ~ModelRuntime();
    ModelRuntime(const ModelRuntime&) = delete;
    ModelRuntime& operator=(const ModelRuntime&) = delete;

    // A coroutine of the service loop, beside the catalogue's and the ledger's. `stop` is called on
    // the loop and makes it return soon. Before Start().
    void AddServiceTask(std::function<Task<>()> run, std::function<void()> stop);

    // Takes the state folder, loads plugins and the catalogue's copy, starts the service loop. An
    // error names what cannot be had.
    Result<void> Start();

    // Ends the service loop: what is in the ledger goes out, within five seconds; the rest waits
    // for the next start. The process's own loops have stopped before. Idempotent.
    void Stop();

    const Options& options() const { return options_; }
    // Watches the service loop; the process adds its own loops, starts it when all of them run, and
    // stops it before it stops them.
    LoopWatchdog& watchdog() { return watchdog_; }
    Loop& service_loop() { return service_loops_[0]; }
    data_client::DataApiClient& data_api() { return *data_api_; }  // the service loop's
    pipeline::PipelineShared& shared() { return shared_; }
    plugin::Registry& registry() { return registry_; }
    const PluginMetrics& plugin_metrics() const { return plugin_metrics_; }
    const pipeline::CatalogueKeeper& catalogue() const { return *catalogue_; }
    const ledger::Journal& ledger() const { return ledger_; }
    const ledger::Delivery& delivery() const { return *delivery_; }
    const http::client::ClientOptions& client_options() const { return client_options_; }
    const http::client::Resolver& resolver() const { return *resolver_; }

  private:
    friend class LoopClient;

    struct ServiceTask {
        std::function<Task<>()> run;
        std::function<void()> stop;
    };

    void RegisterSecrets();
    void MakeServices();
    // runtime_metrics.cpp
    void AddMetrics();
    void AddLedgerMetrics();
    void AddLimits();

    const Options& options_;
    const config::Environment& environment_;
    telemetry::JsonLineLogger& logger_;
    telemetry::Metrics& metrics_;
    pipeline::PipelineMetrics pipeline_metrics_;
    PluginMetrics plugin_metrics_;
    plugin::Registry registry_;
    routing::ModelStates states_;
    pipeline::RoutingTableSource tables_;
    ledger::Journal ledger_;
    ledger::DeadLetters dead_letters_;
    pipeline::PipelineShared shared_;

    UpstreamMetrics upstream_metrics_;
    EngineLoops service_loops_;  // one: catalogue and ledger
    LoopWatchdog watchdog_;
    std::shared_ptr<http::client::Resolver> resolver_;
    std::shared_ptr<const http::client::TlsContext> tls_;
    http::client::ClientOptions client_options_;
    std::unique_ptr<http::client::AsioClient> service_client_;
    std::unique_ptr<data_client::DataApiClient> data_api_;
    std::unique_ptr<pipeline::CatalogueKeeper> catalogue_;
    std::unique_ptr<ledger::Delivery> delivery_;
    std::vector<ServiceTask> service_tasks_;
    std::atomic<int> tasks_running_{0};
    bool started_ = false;
};

// The upstream client of one engine loop, counted in with the others' figures. Made and released on
// the loop, before the runtime goes.
class LoopClient {
  public:
    LoopClient(Loop& loop, ModelRuntime& runtime)
        : client_(loop.context(), loop.timers(), runtime.resolver_, runtime.tls_,
                  runtime.client_options_),
          figures_(runtime.upstream_metrics_, client_.stats()) {}

    http::client::AsioClient& get() { return client_; }

  private:
    http::client::AsioClient client_;
    const UpstreamMetrics::Member figures_;
};

}  // namespace aim::runtime
