#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <sys/uio.h>

#include "core/base/loop.hpp"
#include "core/base/task.hpp"
#include "core/base/timer_queue.hpp"
#include "core/http/asio/input_buffer.hpp"
#include "core/http/asio/loop_event.hpp"

namespace aim::http {

// One client's socket: bytes in and out, with one deadline. Input is watched for whenever there is
// room for it, also while nobody waits: so the client's leaving is noticed at once, and what
// watches is what the next request needs anyway. It takes no buffer. One loop's thread. Shared
// between its session and the pending watch.
class Connection final : public std::enable_shared_from_this<Connection> {
  public:
    using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;

    Connection(Loop& loop, Socket socket, std::size_t buffer_limit);

    std::string_view input() const { return input_.data(); }
    void KeepInput(std::string_view rest) { input_.Keep(rest); }

    // Large bodies are read in large pieces.
    void ExpectMore(std::uint64_t bytes);
    // After a request: a large buffer is given back.
    void ShrinkInput();

    // Keeps watching from now on, and reads what comes.
    void Watch();

    // Suspends until there is new input. False when there will be none: the client closed or left,
    // the deadline passed, or Stop() was called.
    Task<bool> WaitForInput();

    // When WaitForInput() and writes give up; MonotonicTime::max() is never.
    void SetDeadline(MonotonicTime deadline);

    // Writes all of `pieces` (which it changes), suspending while the socket takes no more. False
    // when the client is gone or takes nothing for `stall`.
    Task<bool> Write(iovec* pieces, int count, std::chrono::milliseconds stall);
    enum class Sent { kAll, kPart, kFailed };
    // The same without waiting; moves `pieces` and `count` on to what is left.
    Sent WriteNow(iovec*& pieces, int& count);

    // The end of what we send; the client may go on.
    void HalfClose();
    // Ends everything: who waits here is woken and told no.
    void Stop();
    void Close();

    bool ended() const { return ended_; }          // no more input will come
    bool broken() const { return broken_; }        // nothing can be written any more
    bool timed_out() const { return timed_out_; }  // by the deadline, in the last wait
    bool write_stalled() const { return write_stalled_; }

    // Called once when the client closes or leaves while watched.
    void OnEnd(std::function<void()> on_end) { on_end_ = std::move(on_end); }

    // The coroutine that waits for input will never be resumed.
    void Abandon() { input_event_.Abandon(); }

  private:
    void OnReadable(const boost::system::error_code& error);
    enum class Came { kBytes, kNothing, kEnd, kReset };
    Came Receive();
    void OnDeadline();
    Task<bool> WriteRest(iovec* pieces, int count, std::chrono::milliseconds stall);

    Socket socket_;
    InputBuffer input_;
    LoopEvent input_event_;
    std::function<void()> on_end_;
    TimerQueue::Timer timer_;
    MonotonicTime deadline_ = MonotonicTime::max();
    std::size_t read_size_ = InputBuffer::kSmall;
    bool watching_ = false;
    bool writing_ = false;
    bool ended_ = false;
    bool broken_ = false;
    bool timed_out_ = false;
    bool write_stalled_ = false;
};

}  // namespace aim::http
