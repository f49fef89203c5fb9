#include "core/base/blocking_pool.hpp"

#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

namespace aim {

Task<bool> BlockingPool::Run(std::function<void()> action) {
    if (waiting_.fetch_add(1, std::memory_order_relaxed) >= kQueued) {
        waiting_.fetch_sub(1, std::memory_order_relaxed);
        co_return false;
    }
    const Executor executor = co_await boost::asio::this_coro::executor;
    auto start = [&](auto handler) {
        auto resume = [handler = std::move(handler),
                       guard = boost::asio::executor_work_guard<Executor>(executor)]() mutable {
            std::move(handler)();
        };
        // Handed on, not shared: the loop may end as soon as the coroutine has gone on, so this
        // thread must own nothing of it then.
        boost::asio::post(
            pool_, [executor, resume = std::move(resume), run = std::move(action)]() mutable {
                run();
                boost::asio::post(executor, std::move(resume));
            });
    };
    co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>&, void()>(
        start, kUseTask);
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    co_return true;
}

}  // namespace aim
