#include "core/http/client/resolver.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <netdb.h>
#include <sys/socket.h>

namespace aim::http::client {
namespace {

using boost::asio::ip::address;

Resolution SystemLookup(const std::string& name) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const int error = getaddrinfo(name.c_str(), nullptr, &hints, &list);
    Resolution resolution;
    if (error != 0) {
        resolution.problem = gai_strerror(error);
        return resolution;
    }
    for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
        boost::asio::ip::tcp::endpoint endpoint;
        if (entry->ai_addrlen > endpoint.capacity()) continue;
        endpoint.resize(entry->ai_addrlen);
        std::copy_n(reinterpret_cast<const char*>(entry->ai_addr), entry->ai_addrlen,
                    reinterpret_cast<char*>(endpoint.data()));
        auto& known = resolution.addresses;
        if (std::find(known.begin(), known.end(), endpoint.address()) == known.end())
            known.push_back(endpoint.address());
    }
    freeaddrinfo(list);
    if (resolution.addresses.empty()) resolution.problem = "no addresses";
    return resolution;
}

ResolutionPtr Numeric(const std::string& name) {
    if (name == "localhost" || name == "localhost.") {
        return std::make_shared<const Resolution>(Resolution{
            {boost::asio::ip::address_v4::loopback(), boost::asio::ip::address_v6::loopback()},
            {}});
    }
    boost::system::error_code error;
    const address parsed = boost::asio::ip::make_address(name, error);
    if (error) return nullptr;
    return std::make_shared<const Resolution>(Resolution{{parsed}, {}});
}

ResolutionPtr Failure(std::string problem) {
    return std::make_shared<const Resolution>(Resolution{{}, std::move(problem)});
}

}  // namespace

struct Resolver::Ticket::Pending {
    std::weak_ptr<Shared> resolver;
    std::string name;
    Executor executor;
    boost::asio::executor_work_guard<Executor> work;
    std::function<void(ResolutionPtr)> on_answer;  // the loop's thread only
};

struct Resolver::Shared : std::enable_shared_from_this<Resolver::Shared> {
    using PendingPtr = std::shared_ptr<Ticket::Pending>;

    struct Entry {
        ResolutionPtr resolution;  // null until the first answer
        MonotonicTime expires{};
        MonotonicTime retry_at{};  // after a failed renewal: the old answer serves until then
        bool asked = false;        // waits for a thread, or is with one
        std::vector<PendingPtr> waiting;
    };

    explicit Shared(Options given)
        : options(std::move(given)), clock(options.clock ? *options.clock : SystemClock()) {
        if (!options.lookup) options.lookup = SystemLookup;
    }

    // All below are called with `mutex` held.
    bool Enqueue(const std::string& name, Entry& entry) {
        if (entry.asked) return true;
        if (queue.size() >= options.queue_limit || stopping) {
            stats.refusals.fetch_add(1, std::memory_order_relaxed);
            return false;
        }
        entry.asked = true;
        queue.push_back(name);
        stats.queued.fetch_add(1, std::memory_order_relaxed);
        ready.notify_one();
        return true;
    }

    void Tell(const PendingPtr& pending, ResolutionPtr resolution) {
        // A ticket takes this mutex before its loop may go away, so the executor is alive here.
        boost::asio::post(pending->executor, [pending, resolution = std::move(resolution)] {
            if (!pending->on_answer) return;
            const auto on_answer = std::exchange(pending->on_answer, nullptr);
            pending->work.reset();
            on_answer(resolution);
        });
    }

    void Store(const std::string& name, Resolution&& answer) {
        const MonotonicTime now = clock.Now();
        Entry& entry = entries[name];
        entry.asked = false;
        const bool failed = answer.addresses.empty();
        if (failed) stats.failures.fetch_add(1, std::memory_order_relaxed);
        const bool keep_old = failed && entry.resolution && !entry.resolution->addresses.empty() &&
                              now < GoodUntil(entry);
        if (keep_old) {
            entry.retry_at = now + options.negative_ttl;
        } else {
            entry.resolution = std::make_shared<const Resolution>(std::move(answer));
            entry.expires = now + (failed ? options.negative_ttl : options.ttl);
            entry.retry_at = {};
        }
        for (const PendingPtr& pending : entry.waiting) Tell(pending, entry.resolution);
        entry.waiting.clear();
        Trim(now);
        stats.cached.store(static_cast<std::int64_t>(entries.size()), std::memory_order_relaxed);
    }

    MonotonicTime GoodUntil(const Entry& entry) const { return entry.expires + options.stale; }

    void Trim(MonotonicTime now) {
        if (entries.size() <= options.cache_limit) return;
        std::erase_if(entries, [&](const auto& item) {
            return !item.second.asked && item.second.waiting.empty() && item.second.expires < now;
        });
        for (auto item = entries.begin();
             item != entries.end() && entries.size() > options.cache_limit;) {
            item = item->second.asked || !item->second.waiting.empty() ? std::next(item)
                                                                       : entries.erase(item);
        }
    }

    void Work() {
        std::unique_lock lock(mutex);
        for (;;) {
            ready.wait(lock, [this] { return stopping || !queue.empty(); });
            if (stopping) break;
            const std::string name = std::move(queue.front());
            queue.pop_front();
            stats.queued.fetch_sub(1, std::memory_order_relaxed);
            stats.lookups.fetch_add(1, std::memory_order_relaxed);
            lock.unlock();
            Resolution answer = Look(name);
            lock.lock();
            Store(name, std::move(answer));
        }
        --running;
        stopped.notify_all();
    }

    Resolution Look(const std::string& name) {
        try {
            return options.lookup(name);
        } catch (const std::exception&) {
            return Resolution{{}, "the look-up failed"};
        }
    }

    Options options;
    const Clock& clock;
    Stats stats;
    std::mutex mutex;
    std::condition_variable ready;
    std::condition_variable stopped;
    std::unordered_map<std::string, Entry> entries;
    std::deque<std::string> queue;
    std::size_t running = 0;
    bool stopping = false;
    std::vector<std::thread> threads;
};

void Resolver::Ticket::Drop() {
    if (!pending_) return;
    pending_->on_answer = nullptr;
    pending_->work.reset();
    if (const auto shared = pending_->resolver.lock()) {
        const std::lock_guard lock(shared->mutex);
        const auto entry = shared->entries.find(pending_->name);
        if (entry != shared->entries.end()) std::erase(entry->second.waiting, pending_);
    }
    pending_.reset();
}

Resolver::Ticket::~Ticket() { Drop(); }

Resolver::Ticket& Resolver::Ticket::operator=(Ticket&& other) noexcept {
    if (this != &other) {
        Drop();
        pending_ = std::move(other.pending_);
    }
    return *this;
}

Resolver::Resolver(Options options) : shared_(std::make_shared<Shared>(std::move(options))) {
    const std::size_t count = std::max<std::size_t>(1, shared_->options.threads);
    shared_->running = count;
    for (std::size_t i = 0; i < count; ++i)
        shared_->threads.emplace_back([shared = shared_] { shared->Work(); });
}

Resolver::~Resolver() {
    std::vector<std::thread> threads;
    bool all_stopped = false;
    {
        std::unique_lock lock(shared_->mutex);
        shared_->stopping = true;
        shared_->ready.notify_all();
        all_stopped = shared_->stopped.wait_for(lock, std::chrono::seconds(2),
                                                [this] { return shared_->running == 0; });
        for (auto& [name, entry] : shared_->entries) {
            for (const auto& pending : entry.waiting)
                shared_->Tell(pending, Failure("the resolver was stopped"));
            entry.waiting.clear();
        }
        threads.swap(shared_->threads);
    }
    for (std::thread& thread : threads) {
        // getaddrinfo cannot be stopped; a thread in it shares what it needs.
        all_stopped ? thread.join() : thread.detach();
    }
}

const Resolver::Stats& Resolver::stats() const { return shared_->stats; }

ResolutionPtr Resolver::TryNow(const std::string& name) {
    if (ResolutionPtr numeric = Numeric(name)) return numeric;
    const std::lock_guard lock(shared_->mutex);
    const auto found = shared_->entries.find(name);
    if (found == shared_->entries.end() || !found->second.resolution) return nullptr;
    Shared::Entry& entry = found->second;
    const MonotonicTime now = shared_->clock.Now();
    if (now < entry.expires) return entry.resolution;
    if (entry.resolution->addresses.empty()) return nullptr;
    if (now < entry.retry_at) return entry.resolution;
    if (now >= entry.expires + shared_->options.renew_window) return nullptr;
    shared_->Enqueue(name, entry);
    return entry.resolution;
}

Resolver::Ticket Resolver::Ask(const std::string& name, const Executor& executor,
                               std::function<void(ResolutionPtr)> on_answer) {
    auto pending = std::make_shared<Ticket::Pending>(Ticket::Pending{
        shared_, name, executor, boost::asio::make_work_guard(executor), std::move(on_answer)});
    const std::lock_guard lock(shared_->mutex);
    Shared::Entry& entry = shared_->entries[name];
    if (shared_->Enqueue(name, entry)) {
        entry.waiting.push_back(pending);
    } else {
        ResolutionPtr answer = entry.resolution && !entry.resolution->addresses.empty()
                                   ? entry.resolution
                                   : Failure("too many look-ups wait");
        shared_->Tell(pending, std::move(answer));
    }
    return Ticket(std::move(pending));
}

}  // namespace aim::http::client
