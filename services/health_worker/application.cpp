#include "services/health_worker/application.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <thread>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "core/http/middleware/access_log.hpp"
#include "core/http/middleware/request_id.hpp"
#include "core/runtime/system_routes.hpp"
#include "services/health_worker/process.hpp"

namespace aim::health_worker {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kService = "aimanager_health_worker";
// After their cancellation probes only have to come back.
constexpr milliseconds kCancelLimit{5000};
// For what comes after a drain, that included.
constexpr milliseconds kStopLimit{12'000};
// Health, readiness and metrics: nothing that waits.
constexpr std::size_t kServerThreads = 1;

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
      runtime_(options_, environment, logger_, metrics_),
      loops_(1),
      client_(loops_[0], runtime_),
      rounds_(options_.interval, runtime_, client_.get(), loops_[0], logger_, metrics_) {
    chain_.Add(std::make_unique<http::RequestIdMiddleware>());
    chain_.Add(std::make_unique<http::AccessLogMiddleware>(logger_, metrics_));
    runtime_.watchdog().Watch("probes", loops_[0]);
    runtime::AddSystemRoutes(router_, kService,
                             {runtime_.catalogue(), runtime_.registry(), runtime_.ledger(),
                              runtime_.delivery(), runtime_.watchdog(), draining_},
                             metrics_);
}

Application::~Application() {
    if (server_) server_->Stop();
    runtime_.watchdog().Stop();
    loops_.Stop();
    runtime_.Stop();
    logger_.Info("stopped", "The health worker has ended");
}

Result<void> Application::Start() {
    if (auto started = runtime_.Start(); !started) return started;
    http::pistache::ServerOptions server;
    server.host = options_.host;
    server.port = options_.port;
    server.threads = kServerThreads;
    server_ = std::make_unique<http::pistache::PistacheServer>(server, router_, chain_, logger_);
    if (auto started = server_->Start(); !started) return started;
    logger_.Info("started", "The health worker listens",
                 {{"host", options_.host},
                  {"port", server_->port()},
                  {"interval_s", options_.interval.count()},
                  {"plugins", runtime_.registry().Snapshot()->generations().size()}});
    rounds_ended_ = false;
    boost::asio::co_spawn(loops_[0].executor(), rounds_.Run(),
                          [this](std::exception_ptr) { rounds_ended_ = true; });
    loops_.Start();
    runtime_.watchdog().Start();
    return {};
}

bool Application::AwaitRounds(milliseconds limit) const {
    const MonotonicTime deadline = SystemClock().Now() + limit;
    while (!rounds_ended_.load() && SystemClock().Now() < deadline)
        std::this_thread::sleep_for(milliseconds(2));
    return rounds_ended_.load();
}

void Application::Drain() {
    draining_ = true;
    exit_guard_.Arm(options_.drain_timeout + kStopLimit);
    logger_.Info("draining", "The health worker finishes what it has begun");
    server_->BeginDrain();
    loops_[0].Post([this] { rounds_.Stop(); });
    if (!AwaitRounds(options_.drain_timeout)) {
        logger_.Warning("drain_cut", "Probes were cut at the end of the drain time");
        loops_[0].Post([this] { rounds_.Cancel(); });
        AwaitRounds(kCancelLimit);
    }
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
        std::fprintf(stderr, "aimanager-health-worker: %s\n", started.error().message.c_str());
        return 1;
    }
    int received = 0;
    sigwait(&signals, &received);
    application.Drain();
    return 0;
}

}  // namespace aim::health_worker
