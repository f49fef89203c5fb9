#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "core/base/clock.hpp"
#include "core/ledger/record.hpp"

namespace aim::ledger {

// Records that the data API will never take, kept for people: a JSON line each, with the reason and
// the whole record. Bounded: at `max_bytes` the file becomes `<file>.1` in the place of the one
// before. Readable by the owner alone, for prompts are inside. One thread; the counters from any.
class DeadLetters {
  public:
    // An empty path keeps nothing and only counts.
    DeadLetters(std::filesystem::path file, std::uint64_t max_bytes)
        : file_(std::move(file)), max_bytes_(max_bytes) {}

    // False when it could not be written (a full disk): it is counted and gone.
    bool Add(const Record& record, std::string_view reason, WallTime now);

    std::uint64_t written() const { return written_.load(std::memory_order_relaxed); }
    std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  private:
    bool Write(std::string_view line) const;

    const std::filesystem::path file_;
    const std::uint64_t max_bytes_;
    std::atomic<std::uint64_t> written_{0};
    std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace aim::ledger
