#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "core/base/result.hpp"
#include "core/base/task.hpp"
#include "core/base/timer_queue.hpp"
#include "core/http/client/http_client.hpp"

namespace aim::telegram_bot {

// A whole answer.
struct HttpReply {
    int status = 0;
    std::string body;
};

// Sends a request and reads its answer, all within `timeout`. Errors: those of HttpClient;
// kUpstreamTimeout when the time is over, kCancelled when `cancellation` was raised, kProtocolError
// for an answer over `most_bytes`. `peer` names the other side in the messages.
Task<Result<HttpReply>> CallWhole(http::client::HttpClient& client, TimerQueue& timers,
                                  http::client::UpstreamRequest request, std::string peer,
                                  std::chrono::milliseconds timeout, std::size_t most_bytes,
                                  Cancellation& cancellation);

}  // namespace aim::telegram_bot
