#pragma once

#include <optional>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>

#include "core/base/task.hpp"

namespace aim::http::client {

// Lets one coroutine wait for "something changed" and anybody on its loop say so. A waiter checks
// its conditions again after every wake-up: a signal carries no value, and one that nobody waits
// for is forgotten. One loop's thread only. Whoever owns a signal wakes it before the loop is
// destroyed, else the waiting frames are lost.
class Signal {
  public:
    Signal() = default;
    Signal(const Signal&) = delete;
    Signal& operator=(const Signal&) = delete;

    Task<> Wait() {
        auto store = [this](auto&& handler) {
            handler_.emplace(std::forward<decltype(handler)>(handler));
        };
        return boost::asio::async_initiate<const Token&, void()>(std::move(store), kUseTask);
    }

    bool waiting() const { return handler_.has_value(); }

    // Continues the waiter within this call; for the end of a completion handler, whose stack
    // nobody else is on. The waiter may destroy the signal.
    void Resume() {
        if (!handler_) return;
        Handler handler = std::move(*handler_);
        handler_.reset();
        std::move(handler)();
    }

    // Continues the waiter in the same turn of the loop, after the caller has returned.
    void Post(const Executor& executor) {
        if (!handler_) return;
        Handler handler = std::move(*handler_);
        handler_.reset();
        boost::asio::post(executor, std::move(handler));
    }

  private:
    using Token = boost::asio::use_awaitable_t<Executor>;
    using Handler = boost::asio::async_result<Token, void()>::handler_type;

    std::optional<Handler> handler_;
};

}  // namespace aim::http::client
