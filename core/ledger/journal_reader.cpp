// The delivery's side of the journal: taking records off in their order.
#include <algorithm>
#include <utility>

#include "core/ledger/journal.hpp"

namespace aim::ledger {
namespace {

// What is read at a time, some hundred records, so that little is read twice where a batch ends;
// more only when not one whole frame is inside.
constexpr std::size_t kChunkBytes = std::size_t{128} << 10;
constexpr std::size_t kMostChunkBytes = 2 * format::kMaxFrameBytes;

void Lower(std::atomic<std::uint64_t>& number, std::uint64_t by) {
    std::uint64_t old = number.load(std::memory_order_relaxed);
    while (!number.compare_exchange_weak(old, old - std::min(old, by), std::memory_order_acq_rel)) {
    }
}

std::size_t JsonBytes(const std::vector<Journal::Entry>& entries) {
    std::size_t bytes = 0;
    for (const Journal::Entry& entry : entries) bytes += entry.record.json.size();
    return bytes;
}

}  // namespace

std::vector<Journal::Entry> Journal::Take(std::size_t most, std::size_t most_bytes) {
    std::vector<Entry> entries;
    bool moved = true;
    while (moved && entries.empty()) {
        TakeFromDisk(entries, most, most_bytes);
        moved = entries.size() < most && !TakeFromMemory(entries, most, most_bytes);
    }
    if (!entries.empty())
        oldest_us_.store(entries.front().appended_at.time_since_epoch().count(),
                         std::memory_order_relaxed);
    return entries;
}

// With mutex_ held: moves the reader's place over what is read to the end.
bool Journal::FindUnreadBytes(std::size_t& readable) {
    for (;;) {
        if (reading_ && reading_at_ < reading_->end()) {
            readable = reading_->end() - reading_at_;
            return true;
        }
        const auto next = std::find_if(segments_.begin(), segments_.end(), [&](const auto& other) {
            return !reading_ || other->number() > reading_->number();
        });
        if (next == segments_.end()) return false;
        reading_ = *next;
        reading_at_ = format::kHeaderBytes;
    }
}

// Kept from one batch to the next, but not when it was needed for a record of unusual size.
std::span<char> Journal::ChunkRoom(std::size_t bytes) {
    if (bytes > chunk_.size() || chunk_.size() > kChunkBytes)
        chunk_ = std::vector<char>(std::max(bytes, kChunkBytes));
    return std::span(chunk_).first(bytes);
}

void Journal::TakeFromDisk(std::vector<Entry>& entries, std::size_t most, std::size_t most_bytes) {
    std::size_t wanted = kChunkBytes;
    while (entries.size() < most) {
        std::size_t readable = 0;
        {
            const std::lock_guard lock(mutex_);
            if (!FindUnreadBytes(readable)) return;
        }
        const std::span<char> room = ChunkRoom(std::min(readable, wanted));
        const auto got = reading_->Read(reading_at_, room);
        if (!got || *got == 0) {
            // What a disk does not give back is lost; the rest is not.
            const std::lock_guard lock(mutex_);
            ++disk_errors_;
            logger_.Error("ledger_unreadable", "A segment of the ledger cannot be read any more",
                          {{"file", reading_->path().string()},
                           {"reason", got ? "it was cut" : got.error().message}});
            reading_at_ += readable;
            continue;
        }
        const std::size_t before = entries.size();
        const std::string_view chunk(room.data(), *got);
        const std::size_t used = TakeFromChunk(chunk, entries, most, most_bytes);
        reading_at_ += used;
        if (used > 0) {
            wanted = kChunkBytes;
            if (entries.size() > before && JsonBytes(entries) >= most_bytes) return;
        } else if (!entries.empty()) {
            return;  // the next one does not fit into this batch
        } else if (chunk.size() == readable) {
            reading_at_ += readable;  // damage up to the end
        } else if (wanted < kMostChunkBytes) {
            wanted = kMostChunkBytes;
        } else {
            reading_at_ += kMostChunkBytes - format::kMaxFrameBytes;
        }
    }
}

// How many bytes of the chunk are dealt with.
std::size_t Journal::TakeFromChunk(std::string_view chunk, std::vector<Entry>& entries,
                                   std::size_t most, std::size_t most_bytes) {
    FrameReader reader(chunk);
    format::Frame frame;
    std::size_t used = 0;
    std::size_t json_bytes = JsonBytes(entries);
    while (entries.size() < most && reader.Next(frame)) {
        if (frame.sequence >= next_read_) {
            if (!entries.empty() && json_bytes + frame.json.size() > most_bytes) break;
            json_bytes += frame.json.size();
            // Gaps in what an earlier process has left were counted when it was taken over.
            if (frame.sequence > next_read_ && frame.sequence > first_own_)
                CountLost(frame.sequence - std::max(next_read_, first_own_));
            next_read_ = frame.sequence + 1;
            Lower(unread_, 1);
            frame.record.json = frame.json;
            entries.push_back({frame.sequence, frame.bytes, frame.appended_at,
                               std::move(frame.record), frame.sequence < first_own_});
            frame.record = Record();
        }
        used = reader.end();
    }
    return used;
}

// False: the keeper has moved records to the disk since that was read, and they come first.
bool Journal::TakeFromMemory(std::vector<Entry>& entries, std::size_t most,
                             std::size_t most_bytes) {
    const std::lock_guard lock(mutex_);
    std::size_t readable = 0;
    if (FindUnreadBytes(readable)) return false;
    std::size_t json_bytes = JsonBytes(entries);
    for (const Entry& entry : memory_) {
        if (entry.sequence < next_read_) continue;
        if (entries.size() >= most) return true;
        if (!entries.empty() && json_bytes + entry.record.json.size() > most_bytes) return true;
        json_bytes += entry.record.json.size();
        next_read_ = entry.sequence + 1;
        Lower(unread_, 1);
        entries.push_back(entry);
    }
    // Everything is taken: what should be there still has been damaged since it was written.
    const std::uint64_t missing = unread_.load(std::memory_order_relaxed);
    if (missing > 0) {
        corrupt_ += missing;
        Lower(pending_records_, missing);
        unread_.store(0, std::memory_order_release);
        next_read_ = next_sequence_;
        logger_.Error("ledger_damaged", "Records of the ledger were lost to damage on the disk",
                      {{"records", missing}});
    }
    if (pending_records_.load(std::memory_order_relaxed) == entries.size()) {
        // Bytes of damaged records count no more.
        std::uint64_t bytes = 0;
        for (const Entry& entry : entries) bytes += entry.bytes;
        pending_bytes_.store(bytes, std::memory_order_relaxed);
    }
    return true;
}

void Journal::CountLost(std::uint64_t records) {
    Lower(unread_, records);
    Lower(pending_records_, records);
    {
        const std::lock_guard lock(mutex_);
        corrupt_ += records;
    }
    logger_.Error("ledger_damaged", "Records of the ledger were lost to damage on the disk",
                  {{"records", records}});
}

void Journal::Acknowledge(const std::vector<Entry>& entries) {
    if (entries.empty()) return;
    std::uint64_t bytes = 0;
    for (const Entry& entry : entries) bytes += entry.bytes;
    {
        const std::lock_guard lock(mutex_);
        acknowledged_ = std::max(acknowledged_, entries.back().sequence + 1);
        while (!memory_.empty() && memory_.front().sequence < acknowledged_) {
            in_memory_bytes_.fetch_sub(memory_.front().bytes, std::memory_order_relaxed);
            memory_.pop_front();
        }
        Lower(pending_records_, entries.size());
        Lower(pending_bytes_, bytes);
        UpdateSafe();
        keeper_wanted_ = true;
    }
    keeper_wakes_.notify_one();
}

}  // namespace aim::ledger
