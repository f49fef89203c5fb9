#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/cancellation.hpp"
#include "core/base/result.hpp"
#include "core/base/secret_string.hpp"
#include "core/base/task.hpp"
#include "core/base/timer_queue.hpp"
#include "core/http/client/http_client.hpp"
#include "core/json/json.hpp"
#include "services/telegram_bot/bot_metrics.hpp"

namespace aim::telegram_bot {

// Why a call of the Bot API failed. The description is Telegram's or ours and never holds the
// token.
struct ApiFailure {
    int code = 0;  // Telegram's error_code; 0: there was no answer that could be read
    std::string description;
    std::optional<std::chrono::milliseconds> retry_after;
    std::int64_t migrate_to_chat_id = 0;
    bool cancelled = false;
    bool unreadable = false;  // a successful answer that is no JSON we understand

    bool Says(std::string_view words) const { return description.find(words) != std::string::npos; }
    // The chat will not take anything any more: blocked, deleted, never known.
    bool ChatIsGone() const { return code == 403 || (code == 400 && Says("chat not found")); }
    bool FormatRefused() const { return code == 400 && Says("can't parse entities"); }
};

template <typename T>
using ApiResult = tl::expected<T, ApiFailure>;

// One call of the Bot API: POST with JSON. Knows the token, which is part of every path: no URL,
// no request and no raw error leaves this class. One loop's thread; client and timers outlive it.
class TelegramClient {
  public:
    TelegramClient(http::client::HttpClient& client, TimerQueue& timers, http::Url base,
                   SecretString token, BotMetrics& metrics)
        : client_(client),
          timers_(timers),
          base_(std::move(base)),
          token_(std::move(token)),
          metrics_(metrics) {}

    // `arguments` is a JSON object. On success the whole answer; what was asked for is its
    // "result".
    Task<ApiResult<json::Document>> Call(std::string method, std::string arguments,
                                         std::chrono::milliseconds timeout,
                                         Cancellation& cancellation);

  private:
    ApiResult<json::Document> Understand(int status, std::string_view body) const;
    std::string WithoutToken(std::string_view text) const;

    http::client::HttpClient& client_;
    TimerQueue& timers_;
    const http::Url base_;
    const SecretString token_;
    BotMetrics& metrics_;
};

}  // namespace aim::telegram_bot
