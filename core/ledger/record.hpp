#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "core/base/uuid.hpp"
#include "core/completion/outcome.hpp"

namespace aim::ledger {

// One entry of the ledger on its way to the data API: its JSON as POST /ledger wants it, and what
// the live rating has to know when it arrives.
struct Record {
    enum class Kind : std::uint8_t { kOutcome, kHistory };

    Kind kind = Kind::kOutcome;
    Uuid id;
    std::string json;
    // Of an outcome that counts:
    bool counts = false;
    bool success = false;
    Uuid model;
    std::chrono::microseconds response_time{0};
};

Record MakeRecord(const completion::Outcome& outcome);

// No record has more JSON than this: less than a frame of the journal and a batch of the data API.
inline constexpr std::size_t kMaxRecordBytes = 3'500'000;

// Texts over `text_max` bytes are cut at a character and marked; shorter still when their JSON
// would be over kMaxRecordBytes.
Record MakeRecord(const completion::HistoryRecord& history, std::size_t text_max);

// "0.000213": tokens times the prices of a million, exactly; empty when a price or a count is
// unknown.
std::string CostInUsd(std::optional<std::int64_t> prompt_tokens,
                      std::optional<std::int64_t> completion_tokens,
                      const std::string& input_price_per_million,
                      const std::string& output_price_per_million);

}  // namespace aim::ledger
