#include "core/http/asio/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <boost/asio/buffer.hpp>
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
    // The pending read owns the buffer's end.
    if (!reading_) input_.Shrink();
}

void Connection::Watch() {
    if (reading_ || ended_) return;
    const std::span<char> space = input_.Space(read_size_);
    if (space.empty()) return;
    reading_ = true;
    socket_.async_read_some(
        boost::asio::buffer(space.data(), space.size()),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t size) {
            self->OnRead(error, size);
        });
}

void Connection::OnRead(const boost::system::error_code& error, std::size_t size) {
    reading_ = false;
    if (error || size == 0) {
        ended_ = true;
        // After a plain end the client may still read; after a reset it does not.
        if (error && error != boost::asio::error::eof) broken_ = true;
        if (on_end_) std::exchange(on_end_, nullptr)();
    } else {
        input_.Received(size);
    }
    input_event_.Set();
    // Nobody waits for input, so an answer is pending: go on watching for the client to leave.
    if (!input_event_.waiting()) Watch();
}

Task<bool> Connection::WaitForInput() {
    timed_out_ = false;
    const std::size_t before = input_.data().size();
    Watch();
    while (!ended_ && !timed_out_ && reading_) co_await input_event_.Wait();
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
    // Wakes the pending read and a waiting write: both see the end.
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
