#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/http/client/asio_client.hpp"
#include "core/http/middleware.hpp"
#include "core/http/pistache/pistache_server.hpp"
#include "core/http/router.hpp"
#include "core/telemetry/json_line_logger.hpp"
#include "core/telemetry/metrics.hpp"
#include "services/telegram_bot/bot.hpp"
#include "services/telegram_bot/options.hpp"
#include "services/telegram_bot/poller.hpp"
#include "services/telegram_bot/status_board.hpp"

namespace aim::telegram_bot {

// The bot as one object: members start in order and stop in reverse. One loop for Telegram and the
// business API, a small server beside it for health, readiness and metrics. Made, started and
// stopped by one thread.
class Application {
  public:
    explicit Application(Options options);
    ~Application();

    // Listens and begins to ask for updates.
    Result<void> Start();

    // The orderly end: no more updates are taken, what runs and waits is finished within the drain
    // time, the rest is cut with a note.
    void Drain();

    // Telegram does not know the token.
    bool token_refused() const { return token_refused_.load(); }

  private:
    void AddGauges();
    void BuildServer();
    Task<> WatchBusinessApi();
    bool WaitForTasks(std::chrono::milliseconds time) const;

    const Options options_;
    telemetry::JsonLineLogger logger_;
    telemetry::Metrics metrics_;
    BotMetrics bot_metrics_;
    StatusBoard status_;
    std::atomic<bool> token_refused_{false};

    EngineLoops loops_;  // one
    std::shared_ptr<http::client::Resolver> resolver_;
    std::shared_ptr<const http::client::TlsContext> tls_;
    std::unique_ptr<http::client::AsioClient> telegram_http_;
    std::unique_ptr<http::client::AsioClient> business_http_;
    std::unique_ptr<TelegramClient> telegram_;
    std::unique_ptr<BusinessClient> business_;
    TaskGroup tasks_;
    Cancellation watch_stop_;
    std::unique_ptr<Bot> bot_;
    std::unique_ptr<Poller> poller_;
    // What the pages show of the bot, copied on its loop.
    struct Figures {
        std::atomic<std::size_t> running{0};
        std::atomic<std::size_t> waiting{0};
        std::atomic<std::size_t> replies{0};
        std::atomic<std::size_t> choices{0};
    };
    Figures figures_;
    http::Router router_;
    http::MiddlewareChain chain_;
    std::unique_ptr<http::pistache::PistacheServer> server_;
};

}  // namespace aim::telegram_bot
