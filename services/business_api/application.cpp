#include "services/business_api/application.hpp"

#include <csignal>
#include <cstdio>
#include <thread>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "core/http/middleware/access_log.hpp"
#include "core/http/middleware/auth.hpp"
#include "core/http/middleware/client_address.hpp"
#include "core/http/middleware/cors.hpp"
#include "core/http/middleware/rate_limit.hpp"
#include "core/http/middleware/request_id.hpp"
#include "core/http/middleware/security_headers.hpp"
#include "services/business_api/handlers/chat_completions.hpp"
#include "services/business_api/handlers/documents.hpp"
#include "services/business_api/handlers/models.hpp"
#include "services/business_api/handlers/plugins.hpp"
#include "services/business_api/handlers/prompts.hpp"
#include "services/business_api/handlers/system.hpp"

namespace aim::business_api {
namespace {

constexpr std::chrono::milliseconds kProbeLimit{5000};
// How long the ledger has to go out when the process ends.
constexpr std::chrono::milliseconds kFlushLimit{5000};

telemetry::LogOptions LogOptionsOf(const Options& options) {
    telemetry::LogOptions log;
    log.service = "aimanager_business_api";
    log.level = options.log_level;
    return log;
}

plugin::RegistryOptions RegistryOptionsOf(const Options& options) {
    plugin::RegistryOptions registry;
    registry.folders = options.plugin_path;
    registry.state_dir = options.state_dir;
    registry.trust = options.trust;
    registry.host_version = AIM_VERSION;
    return registry;
}

}  // namespace

// What the loader counts.
class Application::LoadCounter final : public plugin::RegistryObserver {
  public:
    explicit LoadCounter(telemetry::Metrics& metrics)
        : loaded_(
              metrics.AddCounter("aimanager_plugin_loads_total", "Plugin files that were loaded.")),
          refused_(metrics.AddCounterFamily("aimanager_plugin_refusals_total",
                                            "Plugin files that were refused, by reason.",
                                            {{"reason"}})) {}
    void OnLoaded(const plugin::Generation&) override { loaded_.Increment(); }
    void OnRefused(plugin::RefusalReason reason) override {
        refused_.With({plugin::RefusalName(reason)}).Increment();
    }

  private:
    telemetry::Counter& loaded_;
    telemetry::CounterFamily& refused_;
};

Application::Application(Options options, const config::Environment& environment)
    : options_(std::move(options)),
      logger_(LogOptionsOf(options_)),
      pipeline_metrics_(metrics_),
      load_counter_(std::make_unique<LoadCounter>(metrics_)),
      registry_(RegistryOptionsOf(options_),
                std::make_unique<plugin::SpawnedProbe>(plugin::SpawnedProbe::DefaultProgram(),
                                                       kProbeLimit),
                logger_, *load_counter_),
      ledger_(options_.ledger_max_bytes),
      shared_{options_.pipeline, SystemClock(),     states_, tables_,
              ledger_,           pipeline_metrics_, logger_},
      service_loops_(1),
      engine_loops_(options_.engine_threads),
      resolver_(std::make_shared<http::client::Resolver>(http::client::Resolver::Options{})) {
    RegisterSecrets(environment);
    client_options_.proxy = options_.proxy;
    Loop& loop = service_loops_[0];
    http::client::ClientOptions direct = client_options_;
    direct.proxy = {};
    auto tls = http::client::TlsContext::Create({});
    if (tls) tls_ = std::move(*tls);
    service_client_ = std::make_unique<http::client::AsioClient>(loop.context(), loop.timers(),
                                                                 resolver_, tls_, direct);
    data_api_ = std::make_unique<data_client::DataApiClient>(
        *service_client_, loop.timers(), options_.data_api, options_.data_api_token);
    pipeline::TableBuilder builder(
        {environment, options_.secret_hosts, options_.pipeline.timeouts,
         [this](std::function<void()> task) { registry_.PostToLoader(std::move(task)); }},
        states_, SystemClock(), logger_);
    catalogue_ = std::make_unique<pipeline::CatalogueKeeper>(
        pipeline::CatalogueKeeper::Options{options_.catalogue_refresh,
                                           options_.state_dir / "catalogue.json"},
        *data_api_, registry_.source(), std::move(builder), shared_);
    delivery_ = std::make_unique<ledger::Delivery>(ledger_, *data_api_, *catalogue_, logger_);
    ledger_.OnReady([this] { service_loops_[0].Post([this] { delivery_->Wake(); }); });
    AddGauges();
}

Application::~Application() {
    if (server_) server_->Stop();
    engine_loops_.Stop();
    StopServiceLoop();
    server_.reset();
    // Providers are destroyed on the loader's thread: whoever holds some goes before the loader
    // does.
    delivery_.reset();
    catalogue_.reset();
    tables_.Publish(
        std::make_shared<const routing::RoutingTable>(std::vector<routing::Candidate>()));
    registry_.Stop();
}

// A second line of defence: whatever value a secret of the environment has, a log line shows *** in
// its place.
void Application::RegisterSecrets(const config::Environment& environment) {
    logger_.RegisterSecret(options_.api_key);
    logger_.RegisterSecret(options_.data_api_token);
    environment.ForEach([this](std::string_view name, std::string_view value) {
        for (const char* word : {"KEY", "TOKEN", "SECRET", "PASSWORD"}) {
            if (name.find(word) != std::string_view::npos && value != "mock")
                logger_.RegisterSecret(SecretString(std::string(value)));
        }
    });
}

void Application::AddGauges() {
    metrics_.AddGauge(
        "aimanager_in_flight_prompts", "Prompts that are being worked on; bound MAX_IN_FLIGHT.",
        [this] { return static_cast<double>(shared_.in_flight.load(std::memory_order_relaxed)); });
    metrics_.AddGauge("aimanager_ledger_queue_records", "Records that wait for the data API.",
                      [this] { return static_cast<double>(ledger_.size()); });
    metrics_.AddGauge("aimanager_ledger_queue_bytes", "Their size; bound LEDGER_MAX_BYTES.",
                      [this] { return static_cast<double>(ledger_.bytes()); });
    metrics_.AddCounterCallback(
        "aimanager_ledger_delivered_total", "Records that the data API has acknowledged.",
        [this] { return static_cast<double>(delivery_->stats().delivered.load()); });
    metrics_.AddCounterCallback(
        "aimanager_ledger_rejected_total", "Records that the data API has refused.",
        [this] { return static_cast<double>(delivery_->stats().rejected.load()); });
    metrics_.AddCounterCallback(
        "aimanager_ledger_failed_calls_total", "Deliveries that have to be repeated.",
        [this] { return static_cast<double>(delivery_->stats().failed_calls.load()); });
    metrics_.AddCounterCallback("aimanager_log_lines_dropped_total",
                                "Log lines dropped because the output did not keep up.",
                                [this] { return static_cast<double>(logger_.dropped()); });
    metrics_.AddGauge("aimanager_plugins_loaded", "Plugins that serve.", [this] {
        return static_cast<double>(registry_.Snapshot()->generations().size());
    });
    metrics_.AddGauge("aimanager_plugin_libraries_kept",
                      "Libraries that are mapped; they are never unmapped.",
                      [this] { return static_cast<double>(registry_.kept_libraries()); });
    metrics_.AddGauge("aimanager_resolver_queue", "Names that wait to be looked up.",
                      [this] { return static_cast<double>(resolver_->stats().queued.load()); });
    const auto server = [this](std::uint64_t http::ServerTotals::*member) {
        return [this, member] {
            return server_ ? static_cast<double>(server_->Totals().*member) : 0.0;
        };
    };
    metrics_.AddGauge("aimanager_http_connections", "Client connections that are open.",
                      server(&http::ServerTotals::connections_open));
    metrics_.AddCounterCallback("aimanager_http_connections_accepted_total",
                                "Client connections accepted.",
                                server(&http::ServerTotals::connections_accepted));
    metrics_.AddCounterCallback("aimanager_http_connections_refused_total",
                                "Client connections over the limit.",
                                server(&http::ServerTotals::connections_refused));
    metrics_.AddGauge("aimanager_http_requests_in_flight", "Requests without an answer yet.",
                      server(&http::ServerTotals::requests_in_flight));
    metrics_.AddCounterCallback("aimanager_http_requests_refused_total",
                                "Requests that were malformed, too large or too slow.",
                                server(&http::ServerTotals::requests_refused));
    metrics_.AddCounterCallback("aimanager_http_clients_left_total",
                                "Clients that left before their answer.",
                                server(&http::ServerTotals::clients_left));
}

std::shared_ptr<const http::MiddlewareChain> Application::MakeChain() {
    auto keys = std::make_shared<http::ConfiguredKeys>();
    keys->Add("bootstrap", options_.api_key);
    auto chain = std::make_shared<http::MiddlewareChain>();
    chain->Add(std::make_unique<http::ClientAddressMiddleware>(options_.trusted_proxies));
    chain->Add(std::make_unique<http::RequestIdMiddleware>());
    chain->Add(std::make_unique<http::AccessLogMiddleware>(logger_, metrics_));
    chain->Add(std::make_unique<http::SecurityHeadersMiddleware>());
    chain->Add(std::make_unique<http::CorsMiddleware>(options_.cors_allowed_origins));
    chain->Add(std::make_unique<http::AuthMiddleware>(keys));
    http::RateLimitMiddleware::Options limit;
    limit.per_minute = options_.rate_limit_per_minute;
    chain->Add(std::make_unique<http::RateLimitMiddleware>(limit));
    return chain;
}

std::shared_ptr<const http::Router> Application::MakeRouter(Loop& loop) {
    auto services = std::make_shared<LoopServices>(loop, resolver_, tls_, client_options_, shared_,
                                                   options_.data_api, options_.data_api_token);
    auto router = std::make_shared<http::Router>();
    AddPromptRoutes(*router, services, errors_);
    AddChatRoutes(*router, services, options_.pipeline, errors_, SystemClock());
    AddModelRoutes(*router, services, shared_, errors_);
    AddPluginRoutes(*router, registry_, blocking_);
    AddSystemRoutes(*router, {*catalogue_, registry_, ledger_, *delivery_, draining_}, metrics_);
    AddDocumentRoutes(*router);
    return router;
}

void Application::StartServiceLoop() {
    Loop& loop = service_loops_[0];
    service_tasks_ = 2;
    const auto ended = [this](std::exception_ptr) { service_tasks_.fetch_sub(1); };
    boost::asio::co_spawn(loop.executor(), catalogue_->Run(), ended);
    boost::asio::co_spawn(loop.executor(), delivery_->Run(), ended);
    service_loops_.Start();
}

void Application::StopServiceLoop() {
    Loop& loop = service_loops_[0];
    loop.Post([this] {
        catalogue_->Stop();
        delivery_->Stop();
    });
    const MonotonicTime deadline = SystemClock().Now() + kFlushLimit;
    while (service_tasks_.load() > 0 && SystemClock().Now() < deadline)
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    if (ledger_.size() > 0) {
        logger_.Error("ledger_lost", "The process ends with records that the data API did not take",
                      {{"records", ledger_.size()}});
    }
    loop.Run([this] { service_client_->Stop(); });
    service_loops_.Stop();
}

Result<void> Application::Start() {
    if (!tls_) return Fail(ErrorKind::kInternal, "TLS cannot be set up");
    std::error_code error;
    std::filesystem::create_directories(options_.state_dir, error);
    registry_.Start();
    catalogue_->LoadCopy();
    StartServiceLoop();
    engine_loops_.Start();
    http::ServerOptions server;
    server.host = options_.host;
    server.port = options_.port;
    server.request.body_bytes = options_.max_body_bytes;
    server.on_exception = [this](std::string_view request_id, std::string_view what) {
        logger_.Error("handler_exception", "A handler threw",
                      {{"request_id", request_id}, {"what", what}});
    };
    auto started = http::Server::Start(
        engine_loops_, server, [this](Loop& loop) { return MakeRouter(loop); }, MakeChain());
    if (!started) return Unexpected(std::move(started.error()));
    server_ = std::move(*started);
    logger_.Info("started", "The business API listens",
                 {{"host", options_.host},
                  {"port", port()},
                  {"plugins", registry_.Snapshot()->generations().size()}});
    return {};
}

void Application::Drain() {
    draining_ = true;
    logger_.Info("draining", "The business API finishes what it has begun");
    const std::size_t cut = server_->Drain(options_.drain_timeout);
    if (cut > 0)
        logger_.Warning("drain_cut", "Requests were cut at the end of the drain time",
                        {{"requests", cut}});
}

int RunProcess() {
    std::signal(SIGPIPE, SIG_IGN);
    const config::Environment environment = config::Environment::FromProcess();
    config::Reader reader(environment);
    Options options = Options::Read(reader);
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
