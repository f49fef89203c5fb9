#include "core/base/blocking_pool.hpp"

#include <memory>
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
        auto resume = std::make_shared<decltype(handler)>(std::move(handler));
        auto guard = std::make_shared<boost::asio::executor_work_guard<Executor>>(executor);
        boost::asio::post(pool_, [executor, resume, guard, run = std::move(action)] {
            run();
            boost::asio::post(executor, [resume, guard] { (*resume)(); });
        });
    };
    co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>&, void()>(
        start, kUseTask);
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    co_return true;
}

}  // namespace aim
