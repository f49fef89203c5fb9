#pragma once

#include <cstdint>
#include <filesystem>

#include "core/base/result.hpp"
#include "core/ledger/segment.hpp"

namespace aim::ledger {

// Up to where the journal has been delivered, on the disk: a file of two slots that are written in
// turn, each with a generation and a CRC, so that a write that was cut short leaves the one before,
// and a full disk is no obstacle. Losing it costs only repetition: the data API knows the ids. One
// thread at a time.
class Acknowledgement {
  public:
    // Opens or makes the file. What cannot be read counts as "nothing delivered".
    Result<void> Open(const std::filesystem::path& file);

    // Every record with a lower sequence is delivered.
    std::uint64_t sequence() const { return sequence_; }

    Result<void> Write(std::uint64_t sequence);

  private:
    FileDescriptor file_;
    std::uint64_t sequence_ = 0;
    std::uint64_t generation_ = 0;
};

}  // namespace aim::ledger
