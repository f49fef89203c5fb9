#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace aim {

// The engine's executor is the loop's own type, not the type-erased one: no virtual call and no
// allocation a step.
using Executor = boost::asio::io_context::executor_type;

// A coroutine on one engine loop. It starts when awaited, runs on that loop's thread only, and
// reports failure by its value (Result<T>), not by an exception.
template <typename T = void>
using Task = boost::asio::awaitable<T, Executor>;

// The completion token that makes an Asio operation awaitable from a Task.
inline constexpr boost::asio::use_awaitable_t<Executor> kUseTask{};

}  // namespace aim
