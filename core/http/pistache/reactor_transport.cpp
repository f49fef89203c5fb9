#include "core/http/pistache/reactor_transport.hpp"

#include <cstdint>
#include <exception>
#include <vector>

#include <pistache/peer.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace aim::http::pistache {
namespace {

constexpr const char* kSession = "s";

Session* SessionOf(const std::shared_ptr<Pistache::Tcp::Peer>& peer) {
    return static_cast<Session*>(peer->tryGetData(kSession).get());
}

}  // namespace

void SessionHandler::onConnection(const std::shared_ptr<Pistache::Tcp::Peer>& peer) {
    try {
        peer->putData(kSession,
                      std::make_shared<Session>(*context_, peer->fd(), peer->address().host()));
    } catch (const std::exception& exception) {
        context_->logger.Error("connection_failed", "A connection could not be taken",
                               {{"reason", exception.what()}});
    }
}

void SessionHandler::onInput(const char* buffer, size_t length,
                             const std::shared_ptr<Pistache::Tcp::Peer>& peer) {
    if (Session* session = SessionOf(peer)) session->OnInput({buffer, length});
}

void SessionHandler::onDisconnection(const std::shared_ptr<Pistache::Tcp::Peer>&) {
}  // the session goes with its peer

ReactorTransport::ReactorTransport(ServerContext& context,
                                   const std::shared_ptr<Pistache::Tcp::Handler>& handler)
    : Pistache::Tcp::Transport(handler), context_(context), prototype_(handler) {}

ReactorTransport::~ReactorTransport() {
    if (timer_ >= 0) ::close(timer_);
    // Pistache forgets the sockets that are open when a reactor ends.
    for (const auto& [descriptor, peer] : peers) ::close(descriptor);
}

std::shared_ptr<Pistache::Aio::Handler> ReactorTransport::clone() const {
    return std::make_shared<ReactorTransport>(context_, prototype_->clone());
}

void ReactorTransport::registerPoller(Pistache::Polling::Epoll& poller) {
    Pistache::Tcp::Transport::registerPoller(poller);
    timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    const auto interval = context_.options.scan_interval;
    itimerspec every{};
    every.it_value.tv_sec = every.it_interval.tv_sec = interval.count() / 1000;
    every.it_value.tv_nsec = every.it_interval.tv_nsec = (interval.count() % 1000) * 1000000;
    ::timerfd_settime(timer_, 0, &every, nullptr);
    poller.addFd(timer_,
                 Pistache::Flags<Pistache::Polling::NotifyOn>(Pistache::Polling::NotifyOn::Read),
                 Pistache::Polling::Tag(static_cast<std::uint64_t>(timer_)));
}

void ReactorTransport::onReady(const Pistache::Aio::FdSet& ready) {
    using Pistache::Polling::NotifyOn;
    const Pistache::Polling::Tag timer(static_cast<std::uint64_t>(timer_));
    bool scan = false;
    std::vector<Pistache::Polling::Event> others;
    for (std::size_t i = 0; i < ready.size(); ++i) {
        const auto& entry = ready[i];
        if (entry.getTag() == timer) {
            std::uint64_t expirations = 0;
            scan = ::read(timer_, &expirations, sizeof expirations) > 0;
            continue;
        }
        Pistache::Polling::Event event(entry.getTag());
        if (entry.isReadable()) event.flags.setFlag(NotifyOn::Read);
        if (entry.isWritable()) event.flags.setFlag(NotifyOn::Write);
        if (entry.isHangup()) event.flags.setFlag(NotifyOn::Hangup);
        others.push_back(event);
    }
    // The base does not know our timer and would throw; what came together with it must not be lost
    // either, events are edge-triggered.
    if (!others.empty())
        Pistache::Tcp::Transport::onReady(scan ? Pistache::Aio::FdSet(std::move(others)) : ready);
    if (scan) Scan();
}

void ReactorTransport::Scan() {
    const MonotonicTime now = SystemClock().Now();
    for (const auto& [descriptor, peer] : peers) {
        if (Session* session = SessionOf(peer)) session->OnScan(now);
    }
}

}  // namespace aim::http::pistache
