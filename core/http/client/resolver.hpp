#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/address.hpp>

#include "core/base/clock.hpp"
#include "core/base/task.hpp"

namespace aim::http::client {

// What a name means; never changed once made.
struct Resolution {
    std::vector<boost::asio::ip::address>
        addresses;        // in the order of preference; empty when it failed
    std::string problem;  // why it failed
};
using ResolutionPtr = std::shared_ptr<const Resolution>;

// Looks names up on threads of its own, since the system's call blocks, and remembers the answers.
// Addresses and "localhost" need no look-up. An answer that has just run out is still given while
// it is renewed; one whose renewal fails is given until it is `stale` old. Thread-safe, shared by
// all loops.
class Resolver {
  public:
    struct Options {
        std::size_t threads = 4;
        std::size_t queue_limit = 256;   // names that wait for a thread; then look-ups fail at once
        std::size_t cache_limit = 4096;  // names that are remembered
        std::chrono::milliseconds ttl{30'000};
        std::chrono::milliseconds negative_ttl{2'000};
        std::chrono::milliseconds renew_window{
            30'000};                               // after the ttl: given at once, renewed behind
        std::chrono::milliseconds stale{600'000};  // after the ttl: given when the renewal fails
        // Blocks; called on the resolver's threads. Empty: getaddrinfo.
        std::function<Resolution(const std::string& name)> lookup;
        const Clock* clock = nullptr;  // null: the system's
    };

    struct Stats {
        std::atomic<std::int64_t> queued{0};   // now
        std::atomic<std::int64_t> cached{0};   // names that are remembered now
        std::atomic<std::int64_t> lookups{0};  // since the start
        std::atomic<std::int64_t> failures{0};
        std::atomic<std::int64_t> refusals{0};  // because of the full queue
    };

    // One question of one loop; forgets it when destroyed, on the loop's thread. Until then the
    // loop has work.
    class Ticket {
      public:
        Ticket() = default;
        ~Ticket();
        Ticket(Ticket&&) noexcept = default;
        Ticket& operator=(Ticket&& other) noexcept;

      private:
        friend class Resolver;
        struct Pending;
        explicit Ticket(std::shared_ptr<Pending> pending) : pending_(std::move(pending)) {}
        void Drop();
        std::shared_ptr<Pending> pending_;
    };

    explicit Resolver(Options options);
    // Waits up to two seconds for look-ups under way; what takes longer ends by itself.
    ~Resolver();
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    // What is known without waiting, or null.
    ResolutionPtr TryNow(const std::string& name);

    // Finds out and calls `on_answer` on the loop of `executor`.
    Ticket Ask(const std::string& name, const Executor& executor,
               std::function<void(ResolutionPtr)> on_answer);

    const Stats& stats() const;

  private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
};

}  // namespace aim::http::client
