#include "services/telegram_bot/http_call.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace aim::telegram_bot {
namespace {

constexpr std::chrono::milliseconds kConnectTime{5000};

}  // namespace

Task<Result<HttpReply>> CallWhole(http::client::HttpClient& client, TimerQueue& timers,
                                  http::client::UpstreamRequest request, std::string peer,
                                  std::chrono::milliseconds timeout, std::size_t most_bytes,
                                  Cancellation& cancellation) {
    if (cancellation.IsCancelled()) co_return Fail(ErrorKind::kCancelled, "the call was given up");
    Cancellation own;
    const Cancellation::Listener outer(cancellation, [&] { own.Cancel(cancellation.reason()); });
    TimerQueue::Timer timer(timers, [&own] { own.Cancel(Cancellation::Reason::kDeadline); });
    timer.ArmAfter(timeout);
    const auto in_words = [&](Error error) {
        if (own.reason() == Cancellation::Reason::kDeadline) {
            error.kind = ErrorKind::kUpstreamTimeout;
            error.message = peer + " did not answer in time";
        }
        return Unexpected(std::move(error));
    };
    http::client::ExchangeLimits limits;
    limits.connect = std::min(timeout, kConnectTime);
    auto exchange = co_await client.Send(std::move(request), limits, own);
    if (!exchange) co_return in_words(std::move(exchange.error()));
    HttpReply reply;
    reply.status = (*exchange)->status();
    for (;;) {
        auto piece = co_await (*exchange)->Read();
        if (!piece) co_return in_words(std::move(piece.error()));
        if (piece->empty()) break;
        if (reply.body.size() + piece->size() > most_bytes)
            co_return Fail(ErrorKind::kProtocolError, "the answer of " + peer + " is too long");
        reply.body.append(*piece);
    }
    co_return reply;
}

}  // namespace aim::telegram_bot
