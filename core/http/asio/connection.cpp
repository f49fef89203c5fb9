#include "core/http/asio/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <sys/socket.h>

namespace aim::http {

Connection::Connection(Loop& loop, Socket socket, std::size_t buffer_limit)
    : socket_(std::move(socket)),
      input_(buffer_limit),
      timer_(loop.timers(), [this] { OnDeadline(); }) {}

void Connection::ExpectMore(std::uint64_t bytes) {
    read_size_ = static_cast<std::size_t>(
        std::clamp<std::uint64_t>(bytes, InputBuffer::kSmall, InputBuffer::kLarge));
}

void Connection::ShrinkInput() {
    read_size_ = InputBuffer::kSmall;
    input_.Rest(true);
}

void Connection::Watch() {
    if (watching_ || ended_ || input_.full()) return;
    input_.Rest(false);
    watching_ = true;
    socket_.async_wait(Socket::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& error) {
                           self->OnReadable(error);
                       });
}

Connection::Came Connection::Receive() {
    const std::span<char> space = input_.Space(read_size_);
    for (;;) {
        const ssize_t size =
            ::recv(socket_.native_handle(), space.data(), space.size(), MSG_DONTWAIT);
        if (size > 0) {
            input_.Received(static_cast<std::size_t>(size));
            return Came::kBytes;
        }
        if (size == 0) return Came::kEnd;
        if (errno == EINTR) continue;
        return errno == EAGAIN || errno == EWOULDBLOCK ? Came::kNothing : Came::kReset;
    }
}

void Connection::OnReadable(const boost::system::error_code& error) {
    watching_ = false;
    const Came came = error ? Came::kReset : Receive();
    if (came == Came::kNothing) return Watch();
    if (came != Came::kBytes) {
        ended_ = true;
        // After a plain end the client may still read; after a reset it does not.
        if (came == Came::kReset) broken_ = true;
        if (on_end_) std::exchange(on_end_, nullptr)();
    }
    input_event_.Set();
    // Nobody waits for input, so an answer is pending: go on watching for the client to leave.
    if (!input_event_.waiting()) Watch();
}

Task<bool> Connection::WaitForInput() {
    timed_out_ = false;
    const std::size_t before = input_.data().size();
    Watch();
    while (!ended_ && !timed_out_ && watching_) co_await input_event_.Wait();
    co_return input_.data().size() > before;
}

void Connection::SetDeadline(MonotonicTime deadline) {
    deadline_ = deadline;
    // A timer that fires too early looks again; so a deadline that moves away costs nothing.
    if (deadline != MonotonicTime::max() && (!timer_.armed() || timer_.deadline() > deadline))
        timer_.ArmAt(deadline);
}

void Connection::OnDeadline() {
    if (deadline_ == MonotonicTime::max()) return;
    if (std::chrono::steady_clock::now() < deadline_) {
        timer_.ArmAt(deadline_);
        return;
    }
    deadline_ = MonotonicTime::max();
    if (writing_) {
        write_stalled_ = true;
        Stop();
        return;
    }
    timed_out_ = true;
    const auto self = shared_from_this();
    input_event_.Set();
}

Connection::Sent Connection::WriteNow(iovec*& pieces, int& count) {
    if (broken_) return Sent::kFailed;
    while (count > 0) {
        msghdr message{};
        message.msg_iov = pieces;
        message.msg_iovlen = static_cast<std::size_t>(count);
        const ssize_t sent =
            ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            if (errno == EINTR) continue;
            if (errno == EAGAIN || errno == EWOULDBLOCK) return Sent::kPart;
            broken_ = true;
            return Sent::kFailed;
        }
        auto left = static_cast<std::size_t>(sent);
        while (count > 0 && left >= pieces->iov_len) {
            left -= pieces->iov_len;
            ++pieces;
            --count;
        }
        if (count > 0) {
            pieces->iov_base = static_cast<char*>(pieces->iov_base) + left;
            pieces->iov_len -= left;
        }
    }
    return Sent::kAll;
}

Task<bool> Connection::Write(iovec* pieces, int count, std::chrono::milliseconds stall) {
    const Sent sent = WriteNow(pieces, count);
    if (sent != Sent::kPart) co_return sent == Sent::kAll;
    co_return co_await WriteRest(pieces, count, stall);
}

Task<bool> Connection::WriteRest(iovec* pieces, int count, std::chrono::milliseconds stall) {
    const auto self = shared_from_this();
    const MonotonicTime deadline_before = deadline_;
    Sent sent = Sent::kPart;
    while (sent == Sent::kPart) {
        SetDeadline(std::chrono::steady_clock::now() + stall);
        writing_ = true;
        boost::system::error_code error;
        auto token = boost::asio::redirect_error(kUseTask, error);
        co_await socket_.async_wait(Socket::wait_write, token);
        writing_ = false;
        if (error) broken_ = true;
        sent = WriteNow(pieces, count);
    }
    deadline_ = deadline_before;
    co_return sent == Sent::kAll;
}

void Connection::HalfClose() {
    if (socket_.is_open()) ::shutdown(socket_.native_handle(), SHUT_WR);
}

void Connection::Stop() {
    if (!socket_.is_open()) return;
    broken_ = true;
    // Wakes the pending watch and a waiting write: both see the end.
    ::shutdown(socket_.native_handle(), SHUT_RDWR);
}

void Connection::Close() {
    timer_.Disarm();
    on_end_ = nullptr;
    ended_ = broken_ = true;
    boost::system::error_code ignored;
    socket_.close(ignored);
}

}  // namespace aim::http
