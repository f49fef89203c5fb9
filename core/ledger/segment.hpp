#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace aim::ledger {

// An open file, closed with the object.
class FileDescriptor {
  public:
    FileDescriptor() = default;
    explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
    ~FileDescriptor();
    FileDescriptor(FileDescriptor&& other) noexcept;
    FileDescriptor& operator=(FileDescriptor&& other) noexcept;

    int get() const { return descriptor_; }
    bool is_open() const { return descriptor_ >= 0; }

  private:
    int descriptor_ = -1;
};

// The error of the newest system call, with what was tried.
Unexpected SystemFailure(std::string what);

// One file of the journal, named by its number. A new one has its whole space set aside on the disk
// (so that a full disk shows here, as an error, and not later as a signal) and is mapped: what is
// copied into Room() survives the end of the process, however sudden, without a system call. Sync()
// makes it survive the end of the machine.
//
// Room() and Advance() are for one thread at a time, as are PopulateAhead(), Sync() and
// CloseForWriting(); both groups may run beside each other. Read() from any thread.
class Segment {
  public:
    // Makes the file and sets `bytes` aside. kOverloaded: there is no room for it.
    static Result<std::shared_ptr<Segment>> Create(const std::filesystem::path& folder,
                                                   std::uint64_t number, std::size_t bytes);

    // Takes a file of an earlier process over, for reading: it ends at `end`, and what is behind is
    // cut off.
    static Result<std::shared_ptr<Segment>> Adopt(const std::filesystem::path& file,
                                                  std::uint64_t number, std::size_t end);

    // The number that a file's name tells; nullopt when it is no segment's name.
    static std::optional<std::uint64_t> NumberOf(const std::filesystem::path& file);

    ~Segment();
    Segment(const Segment&) = delete;
    Segment& operator=(const Segment&) = delete;

    std::uint64_t number() const { return number_; }
    const std::filesystem::path& path() const { return path_; }
    // Where the written part ends.
    std::size_t end() const { return end_.load(std::memory_order_acquire); }
    std::size_t capacity() const { return capacity_; }

    // `bytes` of zeros behind the written part; null when there are no more so many.
    char* Room(std::size_t bytes);
    // They are filled. True when the space that is ready in memory gets short: PopulateAhead() is
    // wanted.
    bool Advance(std::size_t bytes);

    // Has the kernel make the next pages ready, so that writers do not wait for that, and lets go
    // of those that are full. Where the pages cannot be had (a defective disk) there is no more
    // Room().
    void PopulateAhead();
    Result<void> Sync();
    // No more Room(): the mapping goes, the unused space is given back.
    void CloseForWriting();

    // Fills `room` with the written part from `offset` on; how much that is, less than all of it
    // only at the end.
    Result<std::size_t> Read(std::size_t offset, std::span<char> room) const;

    // Removes the file; the object can still be read.
    void Remove();

    // One past the newest record's sequence; kept by the journal.
    std::uint64_t next_sequence = 0;

  private:
    Segment(std::filesystem::path path, std::uint64_t number, FileDescriptor file)
        : path_(std::move(path)), number_(number), file_(std::move(file)) {}

    const std::filesystem::path path_;
    const std::uint64_t number_;
    FileDescriptor file_;
    char* map_ = nullptr;
    std::size_t capacity_ = 0;
    std::atomic<std::size_t> end_{0};
    std::atomic<std::size_t> populated_{0};
    std::atomic<bool> broken_{false};
    std::size_t released_ = 0;
};

}  // namespace aim::ledger
