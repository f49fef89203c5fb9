// The journal's own thread: everything that waits for the disk.
#include <algorithm>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "core/ledger/journal.hpp"
#include "core/ledger/journal_waiter.hpp"

namespace aim::ledger {
namespace {

// How soon a disk that was full is tried again.
constexpr std::chrono::milliseconds kRetry{250};
// What is moved from memory to the disk before other threads get their turn.
constexpr std::size_t kMovedAtOnce = std::size_t{256} << 10;

Result<void> SyncFolder(const std::filesystem::path& folder) {
    const FileDescriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!file.is_open() || ::fsync(file.get()) != 0)
        return SystemFailure("cannot sync " + folder.string());
    return {};
}

}  // namespace

void Journal::Keep() {
    Lock lock(mutex_);
    MonotonicTime next_sync = clock_.Now() + options_.fsync_interval;
    for (;;) {
        const bool failing = create_failing_ || sync_failing_;
        const auto pause =
            failing ? std::min(kRetry, options_.fsync_interval) : options_.fsync_interval;
        keeper_wakes_.wait_for(lock, pause, [this] { return keeper_wanted_ || stopping_; });
        keeper_wanted_ = false;
        const bool last_round = stopping_;
        PrepareSpare(lock);
        MoveMemoryToDisk(lock);
        Populate(lock);
        const MonotonicTime now = clock_.Now();
        const bool due = options_.fsync == FsyncPolicy::kAlways ||
                         (options_.fsync == FsyncPolicy::kInterval &&
                          (last_round || sync_failing_ || now >= next_sync));
        Sync(lock, due);
        if (now >= next_sync) next_sync = now + options_.fsync_interval;
        DropDelivered(lock);
        Judge();
        if (last_round) return;
    }
}

void Journal::PrepareSpare(Lock& lock) {
    if (spare_) return;
    const std::uint64_t number = next_number_++;
    lock.unlock();
    auto made = Segment::Create(options_.folder, number, options_.segment_bytes);
    lock.lock();
    create_failing_ = !made;
    if (!made) return NoteProblem(made.error());
    spare_ = std::move(*made);
    folder_unsynced_ = true;
}

void Journal::MoveMemoryToDisk(Lock& lock) {
    std::size_t moved = 0;
    bool prepared = false;
    while (!memory_.empty()) {
        Entry& entry = memory_.front();
        if (!WriteFrame(entry.record, entry.sequence, entry.appended_at)) {
            // Larger than a segment, or there are none to be had.
            if (spare_ || create_failing_ || prepared) break;
            PrepareSpare(lock);
            prepared = true;
            continue;
        }
        prepared = false;
        moved += entry.bytes;
        in_memory_bytes_.fetch_sub(entry.bytes, std::memory_order_relaxed);
        memory_.pop_front();
        if (moved < kMovedAtOnce) continue;
        moved = 0;
        lock.unlock();
        lock.lock();
    }
    memory_stuck_ = !memory_.empty();
    UpdateSafe();
}

void Journal::Populate(Lock& lock) {
    const SegmentPtr segment = current_;
    if (!segment) return;
    lock.unlock();
    segment->PopulateAhead();
    lock.lock();
}

void Journal::Sync(Lock& lock, bool due) {
    const std::uint64_t upto = OnDisk();
    due = due && synced_ < upto;
    if (!due && retired_.empty()) return;
    std::vector<SegmentPtr> retired = std::exchange(retired_, {});
    const SegmentPtr current = current_;
    const bool sync_folder = due && std::exchange(folder_unsynced_, false);
    lock.unlock();
    Result<void> result;
    const auto sync = [&](Segment& segment) {
        const MonotonicTime begin = clock_.Now();
        auto synced = segment.Sync();
        if (sync_observer_ != nullptr)
            sync_observer_->Observe(std::chrono::duration<double>(clock_.Now() - begin).count());
        if (!synced) result = std::move(synced);
    };
    for (const SegmentPtr& segment : retired) {
        if (options_.fsync != FsyncPolicy::kNever) sync(*segment);
        segment->CloseForWriting();
    }
    if (due && current) sync(*current);
    if (sync_folder && result) result = SyncFolder(options_.folder);
    lock.lock();
    sync_failing_ = !result;
    if (result) {
        if (due) synced_ = std::max(synced_, upto);
        UpdateSafe();
        return;
    }
    folder_unsynced_ = true;
    NoteProblem(result.error());
    // A page that could not be written may count as clean now: what comes next goes elsewhere.
    if (current && current_ == current && spare_) {
        retired_.push_back(current_);
        current_ = std::exchange(spare_, nullptr);
        segments_.push_back(current_);
    }
}

void Journal::DropDelivered(Lock& lock) {
    std::vector<SegmentPtr> dropped;
    while (!segments_.empty() && segments_.front() != current_ &&
           segments_.front()->next_sequence <= acknowledged_ &&
           std::find(retired_.begin(), retired_.end(), segments_.front()) == retired_.end()) {
        dropped.push_back(std::move(segments_.front()));
        segments_.pop_front();
    }
    const std::uint64_t acknowledged = acknowledged_;
    if (dropped.empty() && acknowledged == acknowledgement_.sequence()) return;
    lock.unlock();
    // Without it a restart would only send again what is known already.
    const auto written = acknowledgement_.Write(acknowledged);
    for (const SegmentPtr& segment : dropped) segment->Remove();
    dropped.clear();
    lock.lock();
    if (!written) NoteProblem(written.error());
}

void Journal::NoteProblem(const Error& error) {
    ++disk_errors_;
    const bool known = !problem_.empty();
    problem_ = error.message;
    if (known) return;  // once until it works again
    logger_.Error("ledger_disk_failed",
                  "The disk does not take the ledger; records stay in memory as far as it goes",
                  {{"reason", error.message}, {"records_in_memory", memory_.size()}});
}

// What follows from this round for those who wait.
void Journal::Judge() {
    const bool failing = create_failing_ || sync_failing_;
    if (!failing && !problem_.empty()) {
        problem_.clear();
        logger_.Info("ledger_disk_works", "The disk takes the ledger again",
                     {{"records_in_memory", memory_.size()}});
    }
    const bool stuck = sync_failing_ || memory_stuck_;
    stuck_.store(stuck, std::memory_order_relaxed);
    const std::uint64_t safe = safe_.load(std::memory_order_relaxed);
    const auto due = std::stable_partition(
        waiters_.begin(), waiters_.end(),
        [&](const std::shared_ptr<Waiter>& waiter) { return !stuck && waiter->ticket > safe; });
    if (stuck) unsynced_answers_ += static_cast<std::uint64_t>(waiters_.end() - due);
    // Handed over, not shared: the last owner has to be the waiter's own loop.
    std::for_each(due, waiters_.end(), [](auto& waiter) { Waiter::Release(std::move(waiter)); });
    waiters_.erase(due, waiters_.end());
    // Somebody came while the disk was busy.
    if (!waiters_.empty() && !stuck) keeper_wanted_ = true;
}

}  // namespace aim::ledger
