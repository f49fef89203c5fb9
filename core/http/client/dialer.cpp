#include "core/http/client/dialer.hpp"

#include <algorithm>
#include <utility>

namespace aim::http::client {
namespace {

constexpr std::size_t kMostAddresses = 8;

}  // namespace

std::vector<boost::asio::ip::address> Interleave(
    const std::vector<boost::asio::ip::address>& addresses) {
    std::vector<boost::asio::ip::address> first;
    std::vector<boost::asio::ip::address> second;
    for (const auto& address : addresses) {
        (address.is_v6() == addresses.front().is_v6() ? first : second).push_back(address);
    }
    std::vector<boost::asio::ip::address> mixed;
    for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
        if (i < first.size()) mixed.push_back(first[i]);
        if (i < second.size()) mixed.push_back(second[i]);
    }
    return mixed;
}

Dialer::Dialer(const Executor& executor, TimerQueue& timers, std::chrono::milliseconds stagger,
               std::function<void()> on_done)
    : executor_(executor),
      stagger_(stagger),
      on_done_(std::move(on_done)),
      stagger_timer_(timers, [this] { StartNext(); }) {}

std::shared_ptr<Dialer> Dialer::Start(const Executor& executor, TimerQueue& timers,
                                      std::vector<boost::asio::ip::address> addresses,
                                      std::uint16_t port, std::chrono::milliseconds stagger,
                                      std::function<void()> on_done) {
    std::shared_ptr<Dialer> dialer(new Dialer(executor, timers, stagger, std::move(on_done)));
    for (const auto& address : Interleave(addresses)) {
        if (dialer->endpoints_.size() < kMostAddresses)
            dialer->endpoints_.emplace_back(address, port);
    }
    dialer->StartNext();
    return dialer;
}

void Dialer::StartNext() {
    if (done_ || next_ >= endpoints_.size()) return;
    const auto& endpoint = endpoints_[next_++];
    const auto socket = std::make_shared<Socket>(executor_);
    sockets_.push_back(socket);
    ++under_way_;
    socket->async_connect(
        endpoint, [self = shared_from_this(), socket](const boost::system::error_code& error) {
            self->OnConnect(socket, error);
        });
    if (next_ < endpoints_.size()) stagger_timer_.ArmAfter(stagger_);
}

void Dialer::OnConnect(const std::shared_ptr<Socket>& socket,
                       const boost::system::error_code& error) {
    --under_way_;
    if (done_) return;
    if (!error) {
        winner_ = socket;
        return Finish();
    }
    error_ = error;
    if (next_ < endpoints_.size()) return StartNext();
    if (under_way_ == 0) Finish();
}

void Dialer::Finish() {
    const auto on_done = std::exchange(on_done_, nullptr);
    Stop();
    if (on_done) on_done();
}

void Dialer::Stop() {
    done_ = true;
    on_done_ = nullptr;
    stagger_timer_.Disarm();
    for (const auto& socket : sockets_) {
        boost::system::error_code ignored;
        if (socket != winner_) socket->close(ignored);
    }
    sockets_.clear();
}

}  // namespace aim::http::client
