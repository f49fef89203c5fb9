#include "services/telegram_bot/application.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <utility>

#include <unistd.h>

#include "core/http/middleware/access_log.hpp"
#include "core/http/middleware/request_id.hpp"
#include "services/telegram_bot/process.hpp"
#include "services/telegram_bot/service_handlers.hpp"
#include "services/telegram_bot/wake_up.hpp"

#ifndef AIM_VERSION
#define AIM_VERSION "0.0.0"
#endif

namespace aim::telegram_bot {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kFiguresInterval{500};
constexpr int kBusinessCheckEvery = 4;  // of those
// After the drain time: for the notes under answers that were cut, and then for the rest.
constexpr milliseconds kLastWordsTime{4000};
constexpr milliseconds kGiveUpTime{3000};

telemetry::LogOptions LogOptionsOf(const Options& options) {
    telemetry::LogOptions log;
    log.service = "aimanager_telegram_bot";
    log.level = options.log_level;
    return log;
}

http::client::ClientOptions TelegramHttpOptions(const Options& options) {
    http::client::ClientOptions client;
    client.proxy = options.proxy;
    return client;
}

}  // namespace

Application::Application(Options options)
    : options_(std::move(options)),
      logger_(LogOptionsOf(options_)),
      bot_metrics_(metrics_),
      loops_(1),
      resolver_(std::make_shared<http::client::Resolver>(http::client::Resolver::Options{})),
      tasks_(loops_[0].executor()) {
    // A second line of defence: the token as it is, as a proxy may write it, and without its id.
    const std::string token(options_.token.Reveal());
    const std::size_t colon = token.find(':');
    logger_.RegisterSecret(options_.token);
    logger_.RegisterSecret(SecretString(token.substr(0, colon) + "%3A" + token.substr(colon + 1)));
    logger_.RegisterSecret(SecretString(token.substr(colon + 1)));
    logger_.RegisterSecret(options_.api_key);

    auto tls = http::client::TlsContext::Create({});
    if (tls) tls_ = std::move(*tls);
    Loop& loop = loops_[0];
    telegram_http_ = std::make_unique<http::client::AsioClient>(
        loop.context(), loop.timers(), resolver_, tls_, TelegramHttpOptions(options_));
    business_http_ = std::make_unique<http::client::AsioClient>(
        loop.context(), loop.timers(), resolver_, tls_, http::client::ClientOptions{});
    telegram_ = std::make_unique<TelegramClient>(*telegram_http_, loop.timers(), options_.telegram,
                                                 options_.token, bot_metrics_);
    business_ =
        std::make_unique<BusinessClient>(*business_http_, loop.timers(), options_.business_api,
                                         options_.api_key, BusinessClient::Limits{});
    bot_ = std::make_unique<Bot>(*telegram_, *business_, tasks_, loop.executor(), logger_,
                                 bot_metrics_, SystemClock(), options_.bot);
    poller_ = std::make_unique<Poller>(*telegram_, *bot_, loop.executor(), logger_, bot_metrics_,
                                       status_, SystemClock(), options_.poller, [this] {
                                           token_refused_.store(true);
                                           ::kill(::getpid(), SIGTERM);
                                       });
    AddGauges();
    BuildServer();
}

Application::~Application() {
    if (server_) server_->Stop();
    Loop& loop = loops_[0];
    loop.Run([this] {
        telegram_http_->Stop();
        business_http_->Stop();
    });
    loops_.Stop();
}

void Application::AddGauges() {
    const auto gauge = [this](const char* name, const char* help,
                              const std::atomic<std::size_t>& figure) {
        metrics_.AddGauge(name, help, [&figure] { return static_cast<double>(figure.load()); });
    };
    gauge("aimanager_telegram_prompts_running", "Prompts that are being answered",
          figures_.running);
    gauge("aimanager_telegram_prompts_waiting", "Prompts that wait for their chat's turn",
          figures_.waiting);
    gauge("aimanager_telegram_replies_running", "Commands that are being answered",
          figures_.replies);
    gauge("aimanager_telegram_model_choices", "Chats that have chosen a model", figures_.choices);
    metrics_.AddGauge("aimanager_telegram_up", "1 while Telegram gives updates",
                      [this] { return status_.telegram().up ? 1.0 : 0.0; });
    metrics_.AddGauge("aimanager_business_api_up", "1 while the business API answers",
                      [this] { return status_.business_api().up ? 1.0 : 0.0; });
    metrics_.AddCounterCallback("aimanager_log_lines_dropped_total",
                                "Log lines dropped because the output did not keep up.",
                                [this] { return static_cast<double>(logger_.dropped()); });
    const auto limit = [this](const char* of, std::size_t value) {
        metrics_.AddGauge("aimanager_limit", "The bounds of queues, pools and buffers.",
                          [value] { return static_cast<double>(value); }, {{"of", of}});
    };
    limit("telegram_prompts", options_.bot.queue.total);
    limit("telegram_prompts_waiting_per_chat", options_.bot.queue.waiting_per_chat);
    limit("telegram_replies", options_.bot.most_replies);
    limit("telegram_model_choices", ModelChoices::kMostChats);
}

void Application::BuildServer() {
    chain_.Add(std::make_unique<http::RequestIdMiddleware>());
    chain_.Add(std::make_unique<http::AccessLogMiddleware>(logger_, metrics_));
    AddServiceRoutes(router_, status_, metrics_, AIM_VERSION);
    http::pistache::ServerOptions server;
    server.host = options_.host;
    server.port = options_.port;
    server.threads = 1;
    server.max_connections = 64;
    server_ = std::make_unique<http::pistache::PistacheServer>(server, router_, chain_, logger_);
}

// Keeps the figures of the pages fresh, and knows whether the business API answers.
Task<> Application::WatchBusinessApi() {
    const Executor executor = loops_[0].executor();
    for (int round = 0;; ++round) {
        figures_.running.store(bot_->prompts_running());
        figures_.waiting.store(bot_->prompts_waiting());
        figures_.replies.store(bot_->replies());
        figures_.choices.store(bot_->choices());
        const bool up = status_.business_api().up;
        if (round % kBusinessCheckEvery == 0) {
            std::string path = "/ready";
            const auto ready = co_await business_->Page(std::move(path), 503, watch_stop_);
            const bool answers = ready.has_value();
            if (answers != up) {
                logger_.Info(answers ? "business_api_up" : "business_api_down",
                             answers ? "The business API answers" : ready.error().message);
            }
            status_.SetBusinessApi(answers, answers ? std::string() : ready.error().message);
        }
        const bool go_on = co_await Pause(executor, kFiguresInterval, watch_stop_);
        if (!go_on) co_return;
    }
}

Result<void> Application::Start() {
    if (!tls_) return Fail(ErrorKind::kInternal, "TLS cannot be set up");
    std::error_code error;
    std::filesystem::create_directories(options_.state_dir, error);
    if (error) {
        return Fail(ErrorKind::kInternal,
                    "the state folder (AIM_STATE_DIR) cannot be made: " + error.message());
    }
    if (auto started = server_->Start(); !started) return started;
    tasks_.Spawn(WatchBusinessApi());
    tasks_.Spawn(poller_->Run());
    loops_.Start();
    logger_.Info("started", "The Telegram bot runs",
                 {{"host", options_.host}, {"port", server_->port()}, {"version", AIM_VERSION}});
    return {};
}

bool Application::WaitForTasks(milliseconds time) const {
    const MonotonicTime end = SystemClock().Now() + time;
    while (tasks_.running() > 0) {
        if (SystemClock().Now() >= end) return false;
        std::this_thread::sleep_for(milliseconds(2));
    }
    return true;
}

void Application::Drain() {
    status_.draining.store(true);
    server_->BeginDrain();
    logger_.Info("draining", "The bot finishes what it has begun");
    Loop& loop = loops_[0];
    loop.Run([this] {
        poller_->Stop();
        watch_stop_.Cancel(Cancellation::Reason::kShutdown);
    });
    if (!WaitForTasks(options_.drain_timeout)) {
        logger_.Warning("drain_cut", "Answers were cut at the end of the drain time");
        loop.Run([this] { bot_->CutShort(); });
        if (!WaitForTasks(kLastWordsTime)) loop.Run([this] { bot_->GiveUp(); });
        if (!WaitForTasks(kGiveUpTime)) {
            // What still runs uses what would be destroyed next.
            logger_.Error("stop_forced", "Something did not end and is left behind");
            logger_.Flush(seconds(1));
            std::_Exit(1);
        }
    }
    logger_.Info("stopped", "The Telegram bot has stopped");
    logger_.Flush(seconds(1));
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

    Application application(std::move(options));
    if (const auto started = application.Start(); !started) {
        std::fprintf(stderr, "aimanager-telegram-bot: %s\n", started.error().message.c_str());
        return 1;
    }
    int received = 0;
    while (sigwait(&signals, &received) != 0) {
    }
    application.Drain();
    return application.token_refused() ? config::kConfigurationExitStatus : 0;
}

}  // namespace aim::telegram_bot
