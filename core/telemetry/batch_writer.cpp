#include "core/telemetry/batch_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

namespace aim::telemetry {
namespace {

constexpr std::size_t kFileChunk = 1 << 20;
constexpr std::size_t kKeptCapacity = 1 << 20;

// After poll() says writable, a pipe takes PIPE_BUF bytes without blocking; a file takes anything.
std::size_t ChunkFor(int file_descriptor) {
    struct stat status {};
    const bool is_file = ::fstat(file_descriptor, &status) == 0 && S_ISREG(status.st_mode);
    return is_file ? kFileChunk : PIPE_BUF;
}

// Signals are for the process's own threads; and a reader that went away must be an EPIPE here, not
// a SIGPIPE.
void BlockSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

BatchWriter::BatchWriter(Options options, const Redactor& redactor)
    : options_(std::move(options)),
      redactor_(redactor),
      chunk_(ChunkFor(options_.file_descriptor)),
      thread_([this] { Run(); }) {}

BatchWriter::~BatchWriter() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
        stop_at_ = std::chrono::steady_clock::now() + options_.stop_limit;
    }
    wake_.notify_all();
    thread_.join();
}

bool BatchWriter::Append(std::string_view line, bool urgent) {
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        if (pending_.size() + line.size() + 1 > options_.limit_bytes) {
            ++dropped_lines_;
            return false;
        }
        pending_.append(line);
        pending_.push_back('\n');
        ++appended_lines_;
        wake = idle_ || (urgent && !urgent_);
        idle_ = false;
        urgent_ = urgent_ || urgent;
    }
    if (wake) wake_.notify_one();
    return true;
}

bool BatchWriter::Flush(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    const std::uint64_t target = appended_lines_;
    urgent_ = true;
    wake_.notify_one();
    return written_.wait_for(lock, timeout, [&] { return handled_lines_ >= target; });
}

std::uint64_t BatchWriter::dropped() const {
    const std::lock_guard lock(mutex_);
    return dropped_lines_;
}

void BatchWriter::Run() {
    BlockSignals();
    std::string batch;
    std::unique_lock lock(mutex_);
    for (;;) {
        idle_ = pending_.empty();
        wake_.wait(lock, [this] { return stop_ || !pending_.empty(); });
        idle_ = false;
        if (pending_.empty()) return;
        wake_.wait_for(lock, options_.interval, [this] { return stop_ || urgent_; });

        batch.clear();
        batch.swap(pending_);
        urgent_ = false;
        const std::uint64_t lines = appended_lines_;
        const std::uint64_t unreported = dropped_lines_ - reported_lines_;
        reported_lines_ = dropped_lines_;
        lock.unlock();

        if (unreported > 0) options_.report_dropped(unreported, batch);
        redactor_.Redact(batch);
        const bool written = WriteAll(batch);
        const auto lost =
            static_cast<std::uint64_t>(written ? 0 : std::count(batch.begin(), batch.end(), '\n'));
        if (batch.capacity() > kKeptCapacity) batch.shrink_to_fit();

        lock.lock();
        dropped_lines_ += lost;
        handled_lines_ = lines;
        written_.notify_all();
    }
}

bool BatchWriter::WriteAll(std::string_view bytes) {
    while (!bytes.empty()) {
        if (!WaitWritable()) return false;
        const ssize_t size =
            ::write(options_.file_descriptor, bytes.data(), std::min(bytes.size(), chunk_));
        if (size >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(size));
        } else if (errno != EINTR && errno != EAGAIN) {
            return false;
        }
    }
    return true;
}

// False when the time for stopping is over. Looks up at least every 100 ms, since the order to stop
// may come while it waits.
bool BatchWriter::WaitWritable() {
    for (;;) {
        pollfd descriptor{options_.file_descriptor, POLLOUT, 0};
        const int ready = ::poll(&descriptor, 1, 100);
        if (ready != 0) return true;  // writable, or an error that write() will name
        const std::lock_guard lock(mutex_);
        if (stop_ && std::chrono::steady_clock::now() >= stop_at_) return false;
    }
}

}  // namespace aim::telemetry
