#include "tests/support/fake_provider/event_loop.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace aim::testing {
namespace {

constexpr std::uint64_t kListenerTag = 0;
constexpr std::uint64_t kWakeTag = ~std::uint64_t{0};

}  // namespace

EventLoop::EventLoop(int listener, SSL_CTX* context, ServerState& state, std::uint64_t first_id,
                     std::uint64_t id_step)
    : listener_(listener),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      context_(context),
      state_(state),
      answerer_(state),
      next_id_(first_id),
      id_step_(id_step) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = kListenerTag;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event);
    event.data.u64 = kWakeTag;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
}

EventLoop::~EventLoop() {
    connections_.clear();
    ::close(listener_);
    ::close(wake_);
    ::close(epoll_);
}

void EventLoop::Stop() {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(wake_, &one, sizeof one));
}

void EventLoop::At(LoopClock::time_point when, std::uint64_t connection_id, std::uint64_t token) {
    timers_.push({when, connection_id, token});
}

// Rounded up: a timer is never early, at most a millisecond late.
int EventLoop::WaitMilliseconds() const {
    if (timers_.empty()) return -1;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(timers_.top().when - LoopClock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

void EventLoop::RunTimers() {
    const LoopClock::time_point now = LoopClock::now();
    while (!timers_.empty() && timers_.top().when <= now) {
        const Timer timer = timers_.top();
        timers_.pop();
        const auto found = connections_.find(timer.connection_id);
        if (found != connections_.end() && !found->second->OnTimer(timer.token))
            connections_.erase(found);
    }
}

void EventLoop::Accept() {
    while (true) {
        const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket < 0) return;
        const int on = 1;
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        const std::uint64_t id = next_id_;
        next_id_ += id_step_;
        connections_.emplace(
            id, std::make_unique<Connection>(socket, context_, id, state_, answerer_, *this));
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
        event.data.u64 = id;
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
    }
}

void EventLoop::Run() {
    // A client that leaves must not end the process; OpenSSL writes without MSG_NOSIGNAL.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    std::array<epoll_event, 256> events{};
    while (true) {
        const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                                       WaitMilliseconds());
        if (count < 0 && errno != EINTR) return;
        for (int i = 0; i < count; ++i) {
            const epoll_event& event = events[static_cast<std::size_t>(i)];
            const std::uint64_t tag = event.data.u64;
            const bool peer_closed = (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
            if (tag == kWakeTag) return;
            if (tag == kListenerTag) {
                Accept();
                continue;
            }
            const auto found = connections_.find(tag);
            if (found != connections_.end() && !found->second->OnReady(peer_closed))
                connections_.erase(found);
        }
        if (!timers_.empty()) RunTimers();
    }
}

}  // namespace aim::testing
