#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include "core/base/task.hpp"
#include "core/base/timer_queue.hpp"
#include "core/http/client/connection.hpp"

namespace aim::http::client {

// Connects to the first of several addresses that answers, alternating between IPv6 and IPv4 and
// starting the next attempt when one fails or takes longer than `stagger` (RFC 8305, "happy
// eyeballs"). One loop's thread.
class Dialer : public std::enable_shared_from_this<Dialer> {
  public:
    // Calls `on_done` once from the loop, unless stopped before.
    static std::shared_ptr<Dialer> Start(const Executor& executor, TimerQueue& timers,
                                         std::vector<boost::asio::ip::address> addresses,
                                         std::uint16_t port, std::chrono::milliseconds stagger,
                                         std::function<void()> on_done);

    ~Dialer() { Stop(); }
    Dialer(const Dialer&) = delete;
    Dialer& operator=(const Dialer&) = delete;

    bool done() const { return done_; }
    bool connected() const { return winner_ != nullptr; }
    // The last attempt's error when none connected.
    const boost::system::error_code& error() const { return error_; }
    Connection::Socket Take() { return std::move(*winner_); }

    // Closes all attempts; `on_done` is not called any more.
    void Stop();

  private:
    using Socket = Connection::Socket;

    Dialer(const Executor& executor, TimerQueue& timers, std::chrono::milliseconds stagger,
           std::function<void()> on_done);
    void StartNext();
    void OnConnect(const std::shared_ptr<Socket>& socket, const boost::system::error_code& error);
    void Finish();

    Executor executor_;
    std::chrono::milliseconds stagger_;
    std::function<void()> on_done_;
    std::vector<boost::asio::ip::tcp::endpoint> endpoints_;
    std::size_t next_ = 0;
    std::size_t under_way_ = 0;
    std::vector<std::shared_ptr<Socket>> sockets_;
    std::shared_ptr<Socket> winner_;
    boost::system::error_code error_;
    bool done_ = false;
    TimerQueue::Timer stagger_timer_;
};

// The order of attempts: families alternate, beginning with the first address's.
std::vector<boost::asio::ip::address> Interleave(
    const std::vector<boost::asio::ip::address>& addresses);

}  // namespace aim::http::client
