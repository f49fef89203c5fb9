#pragma once

#include <optional>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/base/task.hpp"

namespace aim::http {

// Lets one coroutine wait until another part of the same loop says that something happened. No
// system call, no allocation of its own. One loop's thread; at most one waiter.
class LoopEvent {
  public:
    // Resumes at the next Set(); there is no memory of earlier ones, so the waiter checks its
    // condition first.
    Task<> Wait() {
        return boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>, void()>(
            [this](auto handler) { waiter_.emplace(std::move(handler)); }, kUseTask);
    }

    // Resumes the waiter, if there is one, from within the call.
    void Set() {
        if (!waiter_) return;
        Waiter waiter = std::move(*waiter_);
        waiter_.reset();
        std::move(waiter)();
    }

    bool waiting() const { return waiter_.has_value(); }

    // Gives up the waiting coroutine: it is destroyed by the loop without being resumed.
    void Abandon() { waiter_.reset(); }

  private:
    using Waiter =
        boost::asio::async_result<boost::asio::use_awaitable_t<Executor>, void()>::handler_type;
    std::optional<Waiter> waiter_;
};

}  // namespace aim::http
