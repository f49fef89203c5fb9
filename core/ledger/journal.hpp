#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/base/task.hpp"
#include "core/ledger/acknowledgement.hpp"
#include "core/ledger/record.hpp"
#include "core/ledger/segment.hpp"
#include "core/ledger/segment_format.hpp"
#include "core/telemetry/histogram.hpp"
#include "core/telemetry/log.hpp"

namespace aim::ledger {

// When the journal is forced to the disk. Under each of them the end of the process (kill -9, a
// crash) loses nothing that was appended; they differ in what the end of the machine takes along.
enum class FsyncPolicy {
    kNever,     // what the kernel had not written by itself: about 30 s
    kInterval,  // the last interval
    kAlways,    // nothing: an answer waits for the sync that it shares with its neighbours
};

struct JournalOptions {
    std::filesystem::path folder;  // empty = in memory only
    FsyncPolicy fsync = FsyncPolicy::kInterval;
    std::chrono::milliseconds fsync_interval{1000};
    // Records that wait for the data API; beyond it prompts are refused. Files are made in steps of
    // segment_bytes, two at least, so the folder may be larger by as much.
    std::uint64_t max_bytes = std::uint64_t{1} << 30;
    std::size_t segment_bytes = std::size_t{8} << 20;
    // What is kept in memory while the disk is full.
    std::size_t memory_bytes = std::size_t{16} << 20;
    // How long to wait for another process that still holds the folder.
    std::chrono::milliseconds lock_wait{3000};
    // The longest that an answer waits for the disk (kAlways).
    std::chrono::milliseconds longest_wait{5000};
};

// The ledger's records between the engine threads, who write them down before an answer goes out,
// and the delivery, which takes them off in order. An append-only journal in segments
// (segment_format.hpp) in a folder that belongs to one process at a time.
//
// An engine thread copies its records into a mapped file, under a lock that is held for that copy
// alone; everything that touches the disk (making segments, syncing, deleting what was delivered)
// is done by the journal's own thread. While there is no space on the disk, records stay in memory,
// within memory_bytes, and move to the disk when there is some again. Nothing that a disk does or
// holds stops it: damage is stepped over, counted and logged.
//
// Thread-safe; Take() and Acknowledge() are for one reader. Close() before the loops go on which
// coroutines wait.
class Journal {
  public:
    // One past the newest of the records that were appended together.
    using Ticket = std::uint64_t;

    struct Entry {
        std::uint64_t sequence = 0;
        std::size_t bytes = 0;  // of its frame
        WallTime appended_at{};
        Record record;
        bool replayed = false;  // appended by an earlier process
    };

    // Bytes and counts at this moment, and what has happened since the start.
    struct Status {
        std::uint64_t pending_records = 0;
        std::uint64_t pending_bytes = 0;
        std::uint64_t memory_records = 0;  // of those, not on the disk
        std::uint64_t segments = 0;
        std::chrono::milliseconds oldest_age{0};
        std::uint64_t appended = 0;
        std::uint64_t replayed = 0;
        std::uint64_t corrupt = 0;     // records that damage has swallowed
        std::uint64_t torn_tails = 0;  // segments whose end was cut at the last whole record
        std::uint64_t disk_errors = 0;
        std::uint64_t unsynced_answers = 0;  // did not get their sync in time
        bool full = false;
        bool degraded = false;  // the disk does not do its part at the moment
        std::string problem;    // why
    };

    Journal(JournalOptions options, telemetry::Logger& logger, const Clock& clock = SystemClock());
    ~Journal() { Close(); }
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    // Takes the folder, replays what an earlier process has left, starts the thread. Blocks on the
    // disk. An error only when the folder belongs to another process (kForbidden); one that cannot
    // be used leaves the journal in memory, degraded. Records appended before are kept.
    Result<void> Open();

    // Syncs, ends the thread, lets the folder go. Idempotent. Records in memory only are lost and
    // counted in the log.
    void Close();

    // Always takes the records: what was answered is written down, even a little over the limit.
    Ticket Append(std::vector<Record> records);

    // Whether the policy wants the answer to wait for these records. Cheap, so that the usual case
    // needs no coroutine.
    bool NeedsWait(Ticket ticket) const {
        return ticket > safe_.load(std::memory_order_acquire) &&
               !stuck_.load(std::memory_order_relaxed);
    }
    // Until the records are as safe as the policy says, the disk has failed, or longest_wait is
    // over.
    Task<> Wait(Ticket ticket);

    // No room for another prompt.
    bool full() const;

    // The oldest records that were not taken yet: at most `most`, with at most `most_bytes` of JSON
    // in all (at least one). Empty: there are none. Reads the disk's cache.
    std::vector<Entry> Take(std::size_t most, std::size_t most_bytes);
    // They are delivered, and may go.
    void Acknowledge(const std::vector<Entry>& entries);
    // Something is there to take.
    bool has_unread() const { return unread_.load(std::memory_order_acquire) > 0; }

    // Called, from Append's thread, when records came and none was unread. Set before the engine
    // starts.
    void OnReady(std::function<void()> listener) { on_ready_ = std::move(listener); }

    Status status() const;
    // Where the seconds of each sync are told; set before Open().
    void ObserveSyncs(telemetry::Histogram& histogram) { sync_observer_ = &histogram; }

    const JournalOptions& options() const { return options_; }

  private:
    struct Waiter;
    using SegmentPtr = std::shared_ptr<Segment>;

    // journal_recovery.cpp
    Result<void> TakeFolder();
    void Recover();
    void RecoverSegment(const std::filesystem::path& path, std::uint64_t number);

    // With mutex_ held.
    bool WriteFrame(const Record& record, std::uint64_t sequence, WallTime appended_at);
    std::uint64_t OnDisk() const;  // one past the newest record that is not in memory only
    void UpdateSafe();

    // The reader's: journal_reader.cpp.
    bool FindUnreadBytes(std::size_t& readable);
    std::span<char> ChunkRoom(std::size_t bytes);
    void TakeFromDisk(std::vector<Entry>& entries, std::size_t most, std::size_t most_bytes);
    bool TakeFromMemory(std::vector<Entry>& entries, std::size_t most, std::size_t most_bytes);
    std::size_t TakeFromChunk(std::string_view chunk, std::vector<Entry>& entries, std::size_t most,
                              std::size_t most_bytes);
    void CountLost(std::uint64_t records);

    // The keeper's thread, in journal_keeper.cpp. What touches the disk lets the lock go meanwhile.
    using Lock = std::unique_lock<std::mutex>;
    void Keep();
    void PrepareSpare(Lock& lock);
    void MoveMemoryToDisk(Lock& lock);
    void Populate(Lock& lock);
    void Sync(Lock& lock, bool due);
    void DropDelivered(Lock& lock);
    void Judge();
    void NoteProblem(const Error& error);

    const JournalOptions options_;
    telemetry::Logger& logger_;
    const Clock& clock_;
    std::function<void()> on_ready_;
    telemetry::Histogram* sync_observer_ = nullptr;

    mutable std::mutex mutex_;
    std::condition_variable keeper_wakes_;
    std::thread keeper_;
    FileDescriptor lock_file_;
    Acknowledgement acknowledgement_;

    // Guarded by mutex_:
    std::deque<SegmentPtr> segments_;  // oldest first; the last is current_
    SegmentPtr current_;
    SegmentPtr spare_;
    std::vector<SegmentPtr> retired_;  // full, and not synced and closed yet
    std::deque<Entry> memory_;
    std::uint64_t next_sequence_ = 1;
    std::uint64_t next_number_ = 1;
    std::uint64_t acknowledged_ = 1;  // everything below
    std::uint64_t synced_ = 1;
    std::uint64_t first_own_ = 1;  // everything below is an earlier process's
    std::vector<std::shared_ptr<Waiter>> waiters_;
    bool keeper_wanted_ = false;
    bool open_ = false;
    bool stopping_ = false;
    bool create_failing_ = false;
    bool memory_stuck_ = false;
    bool sync_failing_ = false;
    bool folder_unsynced_ = true;
    std::string problem_;
    std::uint64_t appended_ = 0;
    std::uint64_t replayed_ = 0;
    std::uint64_t corrupt_ = 0;
    std::uint64_t torn_tails_ = 0;
    std::uint64_t disk_errors_ = 0;
    std::uint64_t unsynced_answers_ = 0;

    // The reader's place.
    SegmentPtr reading_;
    std::size_t reading_at_ = 0;
    std::vector<char> chunk_;
    std::uint64_t next_read_ = 1;

    std::atomic<std::uint64_t> safe_{~std::uint64_t{0}};  // no ticket beyond it needs to wait
    std::atomic<bool> stuck_{false};                      // nobody waits for the disk
    std::atomic<std::uint64_t> unread_{0};
    std::atomic<std::uint64_t> pending_records_{0};
    std::atomic<std::uint64_t> pending_bytes_{0};
    std::atomic<std::uint64_t> in_memory_bytes_{0};
    std::atomic<std::int64_t> oldest_us_{0};
};

}  // namespace aim::ledger
