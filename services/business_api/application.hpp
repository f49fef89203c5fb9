#pragma once

#include <atomic>
#include <memory>

#include "core/base/blocking_pool.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/config/environment.hpp"
#include "core/http/asio/server.hpp"
#include "core/http/docs/documentation.hpp"
#include "core/http/error_response.hpp"
#include "core/http/middleware/draining.hpp"
#include "core/http/middleware/key_ring.hpp"
#include "core/runtime/exit_guard.hpp"
#include "core/runtime/model_runtime.hpp"
#include "core/telemetry/json_line_logger.hpp"
#include "core/telemetry/metrics.hpp"
#include "services/business_api/key_keeper.hpp"
#include "services/business_api/loop_services.hpp"
#include "services/business_api/options.hpp"

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
    void AddGauges();
    void AddLimits();

    const Options options_;
    telemetry::JsonLineLogger logger_;
    runtime::ExitGuard exit_guard_{logger_};
    telemetry::Metrics metrics_;
    http::ErrorWriter errors_;
    std::atomic<bool> draining_{false};
    http::DrainGate drain_gate_;
    const http::SwaggerUi swagger_ui_ = http::SwaggerUi::BesideProgram();
    BlockingPool blocking_;
    const config::Environment& environment_;
    runtime::ModelRuntime runtime_;
    const std::shared_ptr<http::KeyRing> keys_;
    KeyKeeper key_keeper_;  // runs on the runtime's service loop, which is stopped before it goes
    std::atomic<int> provider_tests_{0};  // under way
    EngineLoops engine_loops_;            // prompts
    std::unique_ptr<http::Server> server_;
};

}  // namespace aim::business_api
