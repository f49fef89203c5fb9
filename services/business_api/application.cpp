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
#include "core/http/middleware/json_body.hpp"
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
// How long the ledger has to go out when the process ends; the rest waits in its journal.
constexpr std::chrono::milliseconds kFlushLimit{5000};
constexpr std::uint64_t kMostDeadLetterBytes = std::uint64_t{16} << 20;

telemetry::LogOptions LogOptionsOf(const Options& options) {
    telemetry::LogOptions log;
    log.service = "aimanager_business_api";
    log.level = options.log_level;
    return log;
}

ledger::JournalOptions JournalOptionsOf(const Options& options) {
    ledger::JournalOptions journal;
    journal.folder = options.state_dir / "ledger";
    journal.fsync = options.ledger_fsync;
    journal.max_bytes = options.ledger_max_bytes;
    return journal;
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

Application::Application(Options options, const config::Environment& environment)
    : options_(std::move(options)),
      logger_(LogOptionsOf(options_)),
      pipeline_metrics_(metrics_),
      environment_(environment),
      plugin_metrics_(metrics_,
                      [this] {
                          // New plugins play their models at once, not with the next refresh.
                          service_loops_[0].Post([this] {
                              if (catalogue_) catalogue_->Wake();
                          });
                      }),
      registry_(RegistryOptionsOf(options_),
                std::make_unique<plugin::SpawnedProbe>(plugin::SpawnedProbe::DefaultProgram(),
                                                       kProbeLimit),
                logger_, plugin_metrics_),
      ledger_(JournalOptionsOf(options_), logger_),
      dead_letters_(options_.state_dir / "ledger" / "dead-letters.jsonl", kMostDeadLetterBytes),
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
    delivery_ = std::make_unique<ledger::Delivery>(ledger_, *data_api_, *catalogue_, dead_letters_,
                                                   logger_);
    ledger_.OnReady([this] { service_loops_[0].Post([this] { delivery_->Wake(); }); });
    AddGauges();
    AddLimits();
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
    auto services = std::make_shared<LoopServices>(loop, resolver_, tls_, client_options_, shared_,
                                                   options_.data_api, options_.data_api_token,
                                                   upstream_metrics_);
    auto router = std::make_shared<http::Router>();
    AddPromptRoutes(*router, services, errors_);
    AddChatRoutes(*router, services, options_.pipeline, errors_, SystemClock());
    AddModelRoutes(*router, services, shared_, errors_);
    AddPluginRoutes(*router, registry_, {registry_, environment_, plugin_metrics_}, blocking_);
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
    loop.Run([this] { service_client_->Stop(); });
    service_loops_.Stop();
    if (const auto left = ledger_.status().pending_records; left > 0) {
        logger_.Warning("ledger_kept",
                        "Records that the data API did not take wait in the ledger's journal for "
                        "the next start",
                        {{"records", left}});
    }
    ledger_.Close();
}

Result<void> Application::Start() {
    if (!tls_) return Fail(ErrorKind::kInternal, "TLS cannot be set up");
    std::error_code error;
    std::filesystem::create_directories(options_.state_dir, error);
    if (auto opened = ledger_.Open(); !opened) return opened;
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
    shared_.drains.Close();
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
