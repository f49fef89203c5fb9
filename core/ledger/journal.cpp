#include "core/ledger/journal.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/ledger/journal_waiter.hpp"

namespace aim::ledger {
namespace {

std::int64_t Microseconds(WallTime time) { return time.time_since_epoch().count(); }

}  // namespace

Journal::Journal(JournalOptions options, telemetry::Logger& logger, const Clock& clock)
    : options_(std::move(options)), logger_(logger), clock_(clock) {}

Result<void> Journal::Open() {
    if (options_.folder.empty()) return {};
    auto usable = TakeFolder();
    if (!usable && usable.error().kind == ErrorKind::kForbidden) return usable;
    if (usable) usable = acknowledgement_.Open(options_.folder / "acknowledged");
    if (!usable) {
        const std::lock_guard lock(mutex_);
        create_failing_ = true;
        NoteProblem(usable.error());
        return {};
    }
    bool anything_to_read = false;
    {
        const std::lock_guard lock(mutex_);
        Recover();
        open_ = true;
        stopping_ = false;
        // The first segment here, so that the first prompt finds it; a full disk is no reason not
        // to start.
        auto first = Segment::Create(options_.folder, next_number_++, options_.segment_bytes);
        if (first) {
            spare_ = std::move(*first);
        } else {
            create_failing_ = true;
            NoteProblem(first.error());
        }
        keeper_wanted_ = true;
        UpdateSafe();
        anything_to_read = has_unread();
    }
    keeper_ = std::thread([this] { Keep(); });
    if (anything_to_read && on_ready_) on_ready_();
    return {};
}

void Journal::Close() {
    {
        const std::lock_guard lock(mutex_);
        if (!open_) return;
        stopping_ = true;
    }
    keeper_wakes_.notify_all();
    keeper_.join();
    const std::lock_guard lock(mutex_);
    open_ = false;
    safe_.store(~std::uint64_t{0}, std::memory_order_release);
    for (auto& waiter : std::exchange(waiters_, {})) Waiter::Release(std::move(waiter));
    if (!memory_.empty()) {
        logger_.Error("ledger_unwritten",
                      "The process ends with records that the disk did not take",
                      {{"records", memory_.size()}, {"reason", problem_}});
    }
    if (current_) current_->CloseForWriting();
    // A segment without records says nothing.
    if (spare_) spare_->Remove();
    spare_.reset();
    lock_file_ = FileDescriptor();
}

Journal::Ticket Journal::Append(std::vector<Record> records) {
    bool wake_reader = false;
    bool wake_keeper = false;
    Ticket ticket = 0;
    {
        const std::lock_guard lock(mutex_);
        const WallTime now = clock_.WallNow();
        wake_reader = unread_.load(std::memory_order_relaxed) == 0;
        if (pending_records_.load(std::memory_order_relaxed) == 0)
            oldest_us_.store(Microseconds(now), std::memory_order_relaxed);
        std::uint64_t bytes = 0;
        for (Record& record : records) {
            const std::uint64_t sequence = next_sequence_++;
            const std::size_t frame_bytes = format::FrameBytes(record.json.size());
            bytes += frame_bytes;
            if (memory_.empty() && WriteFrame(record, sequence, now)) continue;
            in_memory_bytes_.fetch_add(frame_bytes, std::memory_order_relaxed);
            memory_.push_back({sequence, frame_bytes, now, std::move(record), false});
            keeper_wanted_ = true;
        }
        appended_ += records.size();
        pending_records_.fetch_add(records.size(), std::memory_order_relaxed);
        pending_bytes_.fetch_add(bytes, std::memory_order_relaxed);
        unread_.fetch_add(records.size(), std::memory_order_release);
        UpdateSafe();
        ticket = next_sequence_;
        wake_keeper = keeper_wanted_ && open_;
    }
    if (wake_keeper) keeper_wakes_.notify_one();
    if (wake_reader && on_ready_) on_ready_();
    return ticket;
}

bool Journal::WriteFrame(const Record& record, std::uint64_t sequence, WallTime appended_at) {
    const std::size_t bytes = format::FrameBytes(record.json.size());
    if (!open_ ||
        bytes > std::min(format::kMaxFrameBytes, options_.segment_bytes - format::kHeaderBytes)) {
        return false;
    }
    char* room = current_ ? current_->Room(bytes) : nullptr;
    if (room == nullptr) {
        if (!spare_) return false;
        if (current_) retired_.push_back(current_);
        current_ = std::exchange(spare_, nullptr);
        segments_.push_back(current_);
        keeper_wanted_ = true;
        room = current_->Room(bytes);
        if (room == nullptr) return false;
    }
    format::EncodeFrame(record, sequence, appended_at, room);
    if (current_->Advance(bytes)) keeper_wanted_ = true;
    current_->next_sequence = sequence + 1;
    return true;
}

std::uint64_t Journal::OnDisk() const {
    return memory_.empty() ? next_sequence_ : memory_.front().sequence;
}

void Journal::UpdateSafe() {
    if (!open_) return;
    safe_.store(options_.fsync == FsyncPolicy::kAlways ? synced_ : OnDisk(),
                std::memory_order_release);
}

Task<> Journal::Wait(Ticket ticket) {
    const Executor executor = co_await boost::asio::this_coro::executor;
    auto waiter = std::make_shared<Waiter>(executor, ticket);
    waiter->timer.expires_after(options_.longest_wait);
    bool waits = false;
    {
        const std::lock_guard lock(mutex_);
        waits = open_ && NeedsWait(ticket);
        if (waits) {
            waiters_.push_back(waiter);
            keeper_wanted_ = true;
        }
    }
    if (!waits) co_return;
    keeper_wakes_.notify_one();
    // A release is posted to this loop, so it cannot come before the wait has begun.
    boost::system::error_code error;
    co_await waiter->timer.async_wait(boost::asio::redirect_error(kUseTask, error));
    if (waiter->released) co_return;
    const std::lock_guard lock(mutex_);
    std::erase(waiters_, waiter);
    ++unsynced_answers_;
}

bool Journal::full() const {
    return pending_bytes_.load(std::memory_order_relaxed) >= options_.max_bytes ||
           in_memory_bytes_.load(std::memory_order_relaxed) >= options_.memory_bytes;
}

Journal::Status Journal::status() const {
    Status status;
    status.pending_records = pending_records_.load(std::memory_order_relaxed);
    status.pending_bytes = pending_bytes_.load(std::memory_order_relaxed);
    status.full = full();
    if (status.pending_records > 0) {
        const std::int64_t age = Microseconds(clock_.WallNow()) - oldest_us_.load();
        status.oldest_age = std::chrono::milliseconds(std::max<std::int64_t>(age, 0) / 1000);
    }
    const std::lock_guard lock(mutex_);
    status.memory_records = memory_.size();
    status.segments = segments_.size() + (spare_ ? 1 : 0);
    status.appended = appended_;
    status.replayed = replayed_;
    status.corrupt = corrupt_;
    status.torn_tails = torn_tails_;
    status.disk_errors = disk_errors_;
    status.unsynced_answers = unsynced_answers_;
    status.degraded = create_failing_ || sync_failing_;
    status.problem = problem_;
    return status;
}

}  // namespace aim::ledger
