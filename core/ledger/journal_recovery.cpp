// What an earlier process has left: taken over at start, whatever state it is in.
#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>

#include "core/ledger/journal.hpp"

namespace aim::ledger {

namespace fs = std::filesystem;

Result<void> Journal::TakeFolder() {
    std::error_code error;
    fs::create_directories(options_.folder, error);
    fs::permissions(options_.folder, fs::perms::owner_all, error);
    const fs::path path = options_.folder / "lock";
    lock_file_ = FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock_file_.is_open()) return SystemFailure("cannot open " + path.string());
    // The kernel lets the lock go with the process that held it, so it never outlives a crash; a
    // predecessor that is still ending gets its time.
    const MonotonicTime deadline = clock_.Now() + options_.lock_wait;
    while (::flock(lock_file_.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return SystemFailure("cannot lock " + path.string());
        if (clock_.Now() >= deadline) {
            return Fail(ErrorKind::kForbidden,
                        "another process uses the ledger in " + options_.folder.string() +
                            "; every business API needs a state folder of its own");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return {};
}

// With mutex_ held, before the thread exists.
void Journal::Recover() {
    std::vector<std::pair<std::uint64_t, fs::path>> files;
    std::error_code error;
    for (const auto& file : fs::directory_iterator(options_.folder, error)) {
        if (const auto number = Segment::NumberOf(file.path()))
            files.emplace_back(*number, file.path());
    }
    std::sort(files.begin(), files.end());
    pending_records_ = unread_ = pending_bytes_ = 0;
    // Where the reading begins; without an acknowledgement that is the first record there is.
    acknowledged_ = acknowledgement_.sequence();
    next_read_ = acknowledged_;
    for (const auto& [number, path] : files) {
        next_number_ = std::max(next_number_, number + 1);
        RecoverSegment(path, number);
    }
    next_sequence_ = std::max<std::uint64_t>({next_read_, acknowledged_, 1});
    first_own_ = next_sequence_;
    synced_ = next_sequence_;
    replayed_ = unread_.load();
    acknowledged_ = std::max<std::uint64_t>(acknowledged_, 1);
    next_read_ = acknowledged_;
    // What was appended before the folder was open follows behind.
    for (Entry& entry : memory_) {
        entry.sequence = next_sequence_++;
        ++pending_records_;
        ++unread_;
        pending_bytes_ += entry.bytes;
    }
    if (replayed_ > 0) {
        logger_.Info("ledger_replayed", "Records of an earlier process wait for their delivery",
                     {{"records", replayed_}});
    }
    if (corrupt_ > 0) {
        logger_.Error("ledger_damaged", "Records of the ledger were lost to damage on the disk",
                      {{"records", corrupt_}});
    }
}

void Journal::RecoverSegment(const fs::path& path, std::uint64_t number) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    const std::string bytes = std::move(text).str();
    const auto header = format::DecodeHeader(bytes);
    if (!file || (header && header->version != format::kVersion)) {
        // Another version's: kept for it, and out of the way.
        fs::path aside = path;
        aside += ".unreadable";
        std::error_code error;
        fs::rename(path, aside, error);
        logger_.Error("ledger_segment_set_aside", "A segment of the ledger cannot be read",
                      {{"file", aside.string()}});
        return;
    }
    // A damaged header changes nothing: every frame stands for itself.
    const std::size_t begin = std::min(format::kHeaderBytes, bytes.size());
    FrameReader reader(std::string_view(bytes).substr(begin));
    format::Frame frame;
    std::uint64_t records = 0;
    std::uint64_t next_sequence = 0;
    while (reader.Next(frame)) {
        next_sequence = frame.sequence + 1;
        if (frame.sequence < next_read_) continue;
        if (next_read_ > 0) corrupt_ += frame.sequence - next_read_;
        next_read_ = frame.sequence + 1;
        if (records++ == 0 && pending_records_.load() == 0)
            oldest_us_.store(frame.appended_at.time_since_epoch().count());
        ++pending_records_;
        ++unread_;
        pending_bytes_ += frame.bytes;
    }
    if (reader.torn()) {
        ++torn_tails_;
        logger_.Warning("ledger_tail_cut",
                        "A segment of the ledger ends within a record; it is cut at the last whole "
                        "one",
                        {{"file", path.string()}, {"kept_bytes", begin + reader.end()}});
    }
    if (reader.gaps() > 0) {
        logger_.Error("ledger_gap",
                      "A segment of the ledger is damaged; the damage is stepped over",
                      {{"file", path.string()}, {"gaps", reader.gaps()}});
    }
    if (records == 0) {
        std::error_code error;
        fs::remove(path, error);
        return;
    }
    auto segment = Segment::Adopt(path, number, begin + reader.end());
    if (!segment) {
        NoteProblem(segment.error());
        return;
    }
    (*segment)->next_sequence = next_sequence;
    segments_.push_back(std::move(*segment));
}

}  // namespace aim::ledger
