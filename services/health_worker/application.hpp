#pragma once

#include <atomic>
#include <memory>

#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/config/environment.hpp"
#include "core/http/middleware.hpp"
#include "core/http/pistache/pistache_server.hpp"
#include "core/http/router.hpp"
#include "core/runtime/exit_guard.hpp"
#include "core/runtime/model_runtime.hpp"
#include "core/telemetry/json_line_logger.hpp"
#include "core/telemetry/metrics.hpp"
#include "services/health_worker/health_rounds.hpp"
#include "services/health_worker/options.hpp"

namespace aim::health_worker {

// The health worker as one object: members start in order and stop in reverse. Made, started and
// stopped by one thread.
class Application {
  public:
    // `environment` outlives the application.
    Application(Options options, const config::Environment& environment);
    ~Application();
    Application(const Application&) = delete;
    Application& operator=(const Application&) = delete;

    // Loads plugins, listens, begins with the rounds. An error names what cannot be had.
    Result<void> Start();

    // The orderly end: no longer ready, probes under way finish (bounded).
    void Drain();

  private:
    bool AwaitRounds(std::chrono::milliseconds limit) const;

    const Options options_;
    telemetry::JsonLineLogger logger_;
    runtime::ExitGuard exit_guard_{logger_};
    telemetry::Metrics metrics_;
    std::atomic<bool> draining_{false};
    runtime::ModelRuntime runtime_;
    EngineLoops loops_;  // one: the probes
    runtime::LoopClient client_;
    HealthRounds rounds_;
    std::atomic<bool> rounds_ended_{true};
    http::Router router_;
    http::MiddlewareChain chain_;
    std::unique_ptr<http::pistache::PistacheServer> server_;
};

}  // namespace aim::health_worker
