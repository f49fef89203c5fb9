#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/cancellation.hpp"
#include "core/base/result.hpp"
#include "core/base/secret_string.hpp"
#include "core/base/task.hpp"
#include "core/base/timer_queue.hpp"
#include "core/http/client/http_client.hpp"
#include "core/json/json.hpp"
#include "services/telegram_bot/chat_end.hpp"

namespace aim::telegram_bot {

struct ChatQuery {
    std::string text;
    std::string model;  // empty: automatic choice
    std::int64_t user_id = 0;
    std::string username;
};

// Hears an answer while it comes, on the loop's thread.
class ChatListener {
  public:
    virtual ~ChatListener() = default;
    // Which model answers, once and before any text. The score is empty when it was not said.
    virtual void OnHead(std::string_view model, std::string_view score) = 0;
    virtual void OnText(std::string_view text) = 0;
};

// The bot's side of the business API. One loop's thread; client and timers outlive it.
class BusinessClient {
  public:
    struct Limits {
        std::chrono::milliseconds page{5000};
        // The business API has limits of its own; these hold when it is silent.
        std::chrono::milliseconds first_byte{180'000};
        std::chrono::milliseconds between_bytes{60'000};
        std::chrono::milliseconds connect{5000};
    };

    BusinessClient(http::client::HttpClient& client, TimerQueue& timers, http::Url base,
                   SecretString key, Limits limits)
        : client_(client),
          timers_(timers),
          base_(std::move(base)),
          key_(std::move(key)),
          limits_(limits) {}

    // GET; the JSON of the answer. kUpstreamFailure for a status that is neither 200 nor in
    // `also_accepted`.
    Task<Result<json::Document>> Page(std::string path, int also_accepted,
                                      Cancellation& cancellation);

    // POST /v1/chat/completions, streamed.
    Task<ChatEnd> Chat(const ChatQuery& query, ChatListener& listener, Cancellation& cancellation);

  private:
    http::client::UpstreamRequest Request(std::string method, std::string_view path) const;
    Task<ChatEnd> ReadRefusal(http::client::UpstreamExchange& exchange);
    Task<ChatEnd> ReadStream(http::client::UpstreamExchange& exchange, ChatListener& listener,
                             Cancellation& cancellation);

    http::client::HttpClient& client_;
    TimerQueue& timers_;
    const http::Url base_;
    const SecretString key_;
    const Limits limits_;
};

// The body of POST /v1/chat/completions.
std::string ChatBody(const ChatQuery& query);

}  // namespace aim::telegram_bot
