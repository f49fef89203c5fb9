#pragma once

#include <chrono>
#include <memory>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/post.hpp>

#include "core/base/task.hpp"
#include "core/ledger/journal.hpp"

namespace aim::ledger {

// A coroutine that waits for the disk, on the loop of its executor. Everything but the ticket
// belongs to that loop's thread.
struct Journal::Waiter {
    using Timer = boost::asio::basic_waitable_timer<
        std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

    Waiter(const Executor& executor, Ticket wanted) : ticket(wanted), timer(executor) {}

    // From any thread, by the last owner but the coroutine itself: the timer must end on its loop,
    // which has to exist still.
    static void Release(std::shared_ptr<Waiter> waiter) {
        const Executor executor = waiter->timer.get_executor();
        boost::asio::post(executor, [waiter = std::move(waiter)] {
            waiter->released = true;
            waiter->timer.cancel();
        });
    }

    const Ticket ticket;
    Timer timer;
    bool released = false;
};

}  // namespace aim::ledger
