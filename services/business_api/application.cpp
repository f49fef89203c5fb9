#include "services/business_api/application.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string>
#include <utility>

#include "core/http/middleware/access_log.hpp"
#include "core/http/middleware/auth.hpp"
#include "core/http/middleware/client_address.hpp"
#include "core/http/middleware/cors.hpp"
#include "core/http/middleware/draining.hpp"
#include "core/http/middleware/json_body.hpp"
#include "core/http/middleware/rate_limit.hpp"
#include "core/http/middleware/request_id.hpp"
#include "core/http/middleware/security_headers.hpp"
#include "core/runtime/system_routes.hpp"
#include "services/business_api/handlers/caller_history.hpp"
#include "services/business_api/handlers/chat_completions.hpp"
#include "services/business_api/handlers/documents.hpp"
#include "services/business_api/handlers/embeddings.hpp"
#include "services/business_api/handlers/models.hpp"
#include "services/business_api/handlers/plugins.hpp"
#include "services/business_api/handlers/prompts.hpp"
#include "services/business_api/handlers/provider_test.hpp"
#include "services/business_api/process.hpp"

namespace aim::business_api {
namespace {

// How long new requests are still served once a drain has begun.
constexpr std::chrono::milliseconds kServedWhileDraining{5000};

// For what comes after a drain, the ledger's last deliveries above all.
constexpr std::chrono::milliseconds kStopLimit{10'000};

// The shortest that Linux grants. An engine thread is done with what woke it long before.
constexpr std::chrono::microseconds kPromptSlice{100};

constexpr std::string_view kService = "aimanager_business_api";

telemetry::LogOptions LogOptionsOf(const Options& options) {
    telemetry::LogOptions log;
    log.service = kService;
    log.level = options.log_level;
    return log;
}

}  // namespace

Application::Application(Options options, const config::Environment& environment)
    : options_(std::move(options)),
      logger_(LogOptionsOf(options_)),
      environment_(environment),
      runtime_(options_, environment_, logger_, metrics_),
      keys_(std::make_shared<http::KeyRing>()),
      key_keeper_({options_.catalogue_refresh, options_.state_dir / "api_keys.json"},
                  runtime_.data_api(), keys_, logger_),
      engine_loops_(options_.engine_threads, kPromptSlice) {
    logger_.RegisterSecret(options_.api_key);
    keys_->AddConfigured("bootstrap", options_.api_key);
    keys_->AddConfigured("telegram_bot", options_.bot_api_key, 0);
    runtime_.AddServiceTask([this] { return key_keeper_.Run(); }, [this] { key_keeper_.Stop(); });
    for (std::size_t i = 0; i < engine_loops_.size(); ++i)
        runtime_.watchdog().Watch("engine-" + std::to_string(i), engine_loops_[i]);
    AddGauges();
    AddLimits();
}

Application::~Application() {
    if (server_) server_->Stop();
    runtime_.watchdog().Stop();
    engine_loops_.Stop();
    runtime_.Stop();
    logger_.Info("stopped", "The business API has ended");
}

std::shared_ptr<const http::MiddlewareChain> Application::MakeChain() {
    auto chain = std::make_shared<http::MiddlewareChain>();
    chain->Add(std::make_unique<http::ClientAddressMiddleware>(options_.trusted_proxies));
    chain->Add(std::make_unique<http::RequestIdMiddleware>());
    const pipeline::Features& features = options_.pipeline.features;
    if (features.metrics)
        chain->Add(std::make_unique<http::AccessLogMiddleware>(logger_, metrics_));
    chain->Add(std::make_unique<http::SecurityHeadersMiddleware>());
    chain->Add(std::make_unique<http::CorsMiddleware>(options_.cors_allowed_origins));
    chain->Add(std::make_unique<http::DrainingMiddleware>(drain_gate_));
    if (features.authentication) chain->Add(std::make_unique<http::AuthMiddleware>(keys_));
    chain->Add(std::make_unique<http::JsonBodyMiddleware>());
    http::RateLimitMiddleware::Options limit;
    limit.per_minute = options_.rate_limit_per_minute;
    auto rate_limit = std::make_unique<http::RateLimitMiddleware>(limit);
    const http::RateLimitMiddleware& limiter = *rate_limit;
    chain->Add(std::move(rate_limit));
    // The callbacks hold the chain, so that the limiter is there as long as somebody may ask.
    metrics_.AddGauge("aimanager_rate_limit_clients", "Clients whose prompts are being counted.",
                      [chain, &limiter] { return static_cast<double>(limiter.clients()); });
    metrics_.AddCounterCallback(
        "aimanager_rate_limit_refused_total", "Requests over their client's limit.",
        [chain, &limiter] { return static_cast<double>(limiter.refused().Value()); });
    return chain;
}

std::shared_ptr<const http::Router> Application::MakeRouter(Loop& loop) {
    auto services = std::make_shared<LoopServices>(loop, runtime_);
    pipeline::PipelineShared& shared = runtime_.shared();
    plugin::Registry& registry = runtime_.registry();
    auto router = std::make_shared<http::Router>();
    AddPromptRoutes(*router, services, errors_);
    AddCallerHistoryRoute(*router, services, errors_);
    AddChatRoutes(*router, services, options_.pipeline, errors_, SystemClock());
    AddEmbeddingsRoutes(*router, services, errors_);
    AddModelRoutes(*router, services, shared, errors_);
    AddPluginRoutes(*router, registry, {registry, environment_, runtime_.plugin_metrics()},
                    blocking_);
    AddProviderTestRoute(*router, services, runtime_, provider_tests_, errors_);
    runtime::AddSystemRoutes(*router, kService,
                             {runtime_.catalogue(), registry, runtime_.ledger(),
                              runtime_.delivery(), runtime_.watchdog(), draining_},
                             metrics_);
    AddDocumentRoutes(*router, swagger_ui_);
    return router;
}

Result<void> Application::Start() {
    key_keeper_.LoadCopy();
    if (auto started = runtime_.Start(); !started) return started;
    engine_loops_.Start();
    http::ServerOptions server;
    server.host = options_.host;
    server.port = options_.port;
    server.request.body_bytes = options_.max_body_bytes;
    server.bodies_bytes = options_.max_bodies_bytes;
    server.on_exception = [this](std::string_view request_id, std::string_view what) {
        logger_.Error("handler_exception", "A handler threw",
                      {{"request_id", request_id}, {"what", what}});
    };
    auto started = http::Server::Start(
        engine_loops_, server, [this](Loop& loop) { return MakeRouter(loop); }, MakeChain());
    if (!started) return Unexpected(std::move(started.error()));
    server_ = std::move(*started);
    runtime_.watchdog().Start();
    logger_.Info("started", "The business API listens",
                 {{"host", options_.host},
                  {"port", port()},
                  {"plugins", runtime_.registry().Snapshot()->generations().size()}});
    return {};
}

void Application::Drain() {
    draining_ = true;
    exit_guard_.Arm(options_.drain_timeout + kStopLimit);
    // A balancer that goes on sending would keep this process busy up to the end and lose what it
    // cuts.
    drain_gate_.CloseAt(SystemClock().Now() +
                        std::min(options_.drain_timeout / 3, kServedWhileDraining));
    runtime_.shared().drains.Close();
    logger_.Info("draining", "The business API finishes what it has begun");
    const std::size_t cut = server_->Drain(options_.drain_timeout);
    if (cut > 0)
        logger_.Warning("drain_cut", "Requests were cut at the end of the drain time",
                        {{"requests", cut}});
}

int RunProcess() { return RunProcess(pipeline::Features{}); }

int RunProcess(const pipeline::Features& features) {
    std::signal(SIGPIPE, SIG_IGN);
    const config::Environment environment = config::Environment::FromProcess();
    config::Reader reader(environment);
    Options options = Options::Read(reader);
    options.pipeline.features = features;
    if (!reader.errors().empty()) {
        std::fputs(reader.errors().ToString().c_str(), stderr);
        return config::kConfigurationExitStatus;
    }
    // The signals are taken by this thread alone, so they are blocked before any other is made.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    Application application(std::move(options), environment);
    if (const auto started = application.Start(); !started) {
        std::fprintf(stderr, "aimanager-business-api: %s\n", started.error().message.c_str());
        return 1;
    }
    int received = 0;
    sigwait(&signals, &received);
    application.Drain();
    return 0;
}

}  // namespace aim::business_api
