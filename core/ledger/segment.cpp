#include "core/ledger/segment.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/ledger/segment_format.hpp"

namespace aim::ledger {
namespace {

constexpr std::string_view kPrefix = "segment-";
constexpr std::string_view kSuffix = ".journal";
constexpr std::size_t kPage = 4096;
// How much is made ready at a time, and when more is wanted.
constexpr std::size_t kPopulateStep = std::size_t{1} << 20;
constexpr std::size_t kPopulateWhenBelow = std::size_t{256} << 10;
#ifdef MADV_POPULATE_WRITE
constexpr int kPopulateWrite = MADV_POPULATE_WRITE;
#else
constexpr int kPopulateWrite = 23;  // Linux 5.14; older kernels say EINVAL
#endif

bool WriteAll(int descriptor, std::string_view bytes, std::size_t offset) {
    while (!bytes.empty()) {
        const ssize_t written =
            ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(written));
        offset += static_cast<std::size_t>(written);
    }
    return true;
}

// Blocks of its own for every byte, so that the mapping never meets a full disk. File systems
// without that call get zeros written.
bool SetAside(int descriptor, std::size_t bytes) {
    int result = 0;
    do {
        result = ::fallocate(descriptor, 0, 0, static_cast<off_t>(bytes));
    } while (result != 0 && errno == EINTR);
    if (result == 0) return true;
    if (errno != EOPNOTSUPP && errno != ENOSYS) return false;
    const std::string zeros(std::size_t{64} << 10, '\0');
    for (std::size_t at = 0; at < bytes; at += zeros.size()) {
        const std::string_view piece =
            std::string_view(zeros).substr(0, std::min(zeros.size(), bytes - at));
        if (!WriteAll(descriptor, piece, at)) return false;
    }
    return true;
}

}  // namespace

FileDescriptor::~FileDescriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

FileDescriptor::FileDescriptor(FileDescriptor&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
    if (this != &other) {
        if (descriptor_ >= 0) ::close(descriptor_);
        descriptor_ = std::exchange(other.descriptor_, -1);
    }
    return *this;
}

Unexpected SystemFailure(std::string what) {
    const int number = errno;
    const bool no_room = number == ENOSPC || number == EDQUOT || number == EFBIG;
    return Fail(no_room ? ErrorKind::kOverloaded : ErrorKind::kInternal,
                std::move(what) + ": " + std::generic_category().message(number));
}

Result<std::shared_ptr<Segment>> Segment::Create(const std::filesystem::path& folder,
                                                 std::uint64_t number, std::size_t bytes) {
    char digits[24];
    std::snprintf(digits, sizeof digits, "%016llu", static_cast<unsigned long long>(number));
    std::filesystem::path path = folder / (std::string(kPrefix) + digits + std::string(kSuffix));
    FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.is_open()) return SystemFailure("cannot make " + path.string());
    std::shared_ptr<Segment> segment(new Segment(std::move(path), number, std::move(file)));
    const std::string header = format::EncodeHeader(number);
    void* map = MAP_FAILED;
    if (SetAside(segment->file_.get(), bytes) && WriteAll(segment->file_.get(), header, 0)) {
        map = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, segment->file_.get(), 0);
    }
    if (map == MAP_FAILED) {
        auto failure = SystemFailure("no space for " + segment->path_.string());
        segment->Remove();
        return failure;
    }
    segment->map_ = static_cast<char*>(map);
    segment->capacity_ = bytes;
    segment->end_ = header.size();
    segment->PopulateAhead();
    return segment;
}

Result<std::shared_ptr<Segment>> Segment::Adopt(const std::filesystem::path& path,
                                                std::uint64_t number, std::size_t end) {
    FileDescriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!file.is_open()) return SystemFailure("cannot open " + path.string());
    // Left uncut it is only waste: nothing behind `end` is ever read.
    if (::ftruncate(file.get(), static_cast<off_t>(end)) != 0) errno = 0;
    std::shared_ptr<Segment> segment(new Segment(path, number, std::move(file)));
    segment->end_ = end;
    segment->capacity_ = end;
    return segment;
}

std::optional<std::uint64_t> Segment::NumberOf(const std::filesystem::path& path) {
    const std::string name = path.filename().string();
    std::string_view digits = name;
    if (!digits.starts_with(kPrefix) || !digits.ends_with(kSuffix)) return std::nullopt;
    digits.remove_prefix(kPrefix.size());
    digits.remove_suffix(std::min(kSuffix.size(), digits.size()));
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size())
        return std::nullopt;
    return number;
}

Segment::~Segment() {
    if (map_ != nullptr) ::munmap(map_, capacity_);
}

char* Segment::Room(std::size_t bytes) {
    const std::size_t end = end_.load(std::memory_order_relaxed);
    if (map_ == nullptr || capacity_ - end < bytes || broken_.load(std::memory_order_relaxed))
        return nullptr;
    return map_ + end;
}

bool Segment::Advance(std::size_t bytes) {
    const std::size_t end = end_.load(std::memory_order_relaxed) + bytes;
    end_.store(end, std::memory_order_release);
    const std::size_t populated = populated_.load(std::memory_order_relaxed);
    return populated < capacity_ && end + kPopulateWhenBelow > populated;
}

void Segment::PopulateAhead() {
    if (map_ == nullptr) return;
    const std::size_t end = this->end();
    const std::size_t populated = populated_.load(std::memory_order_relaxed);
    const std::size_t from = std::max(populated, end / kPage * kPage);
    // Whole pages: the next call begins where this one ends, and the kernel takes no other address.
    const std::size_t to = std::min(capacity_, (end + kPopulateStep) / kPage * kPage);
    if (from < to) {
        // Best effort on an old kernel: the writers find the pages themselves. EFAULT is the signal
        // that a writer would get.
        const bool unusable = ::madvise(map_ + from, to - from, kPopulateWrite) != 0 &&
                              (errno == EFAULT || errno == EHWPOISON);
        if (unusable) broken_.store(true, std::memory_order_relaxed);
        populated_.store(to, std::memory_order_relaxed);
    }
    // Full pages stay in the kernel's cache, but count as this process's memory no more.
    const std::size_t full = end / kPage * kPage;
    if (full > released_) {
        ::madvise(map_ + released_, full - released_, MADV_DONTNEED);
        released_ = full;
    }
}

Result<void> Segment::Sync() {
    if (::fdatasync(file_.get()) != 0) return SystemFailure("cannot sync " + path_.string());
    return {};
}

void Segment::CloseForWriting() {
    if (map_ == nullptr) return;
    ::munmap(map_, capacity_);
    map_ = nullptr;
    capacity_ = end();
    // Not given back is only waste, until the segment goes.
    if (::ftruncate(file_.get(), static_cast<off_t>(capacity_)) != 0) errno = 0;
}

Result<std::size_t> Segment::Read(std::size_t offset, std::span<char> room) const {
    const std::size_t end = this->end();
    room = room.first(offset >= end ? 0 : std::min(room.size(), end - offset));
    std::size_t done = 0;
    while (done < room.size()) {
        const ssize_t got = ::pread(file_.get(), room.data() + done, room.size() - done,
                                    static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return SystemFailure("cannot read " + path_.string());
        if (got == 0) break;  // somebody has cut the file
        done += static_cast<std::size_t>(got);
    }
    return done;
}

void Segment::Remove() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
}

}  // namespace aim::ledger
