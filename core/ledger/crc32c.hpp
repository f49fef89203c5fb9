#pragma once

#include <cstdint>
#include <string_view>

namespace aim::ledger {

// CRC-32C (Castagnoli: RFC 3720 appendix B.4) of `bytes`, continued from `crc`, the result for what
// came before. Uses the processor's own instruction where it has one (a record costs 0.1 µs then),
// else Boost's table.
std::uint32_t Crc32c(std::string_view bytes, std::uint32_t crc = 0);

// The table's way, for processors without the instruction and for comparing.
std::uint32_t Crc32cByTable(std::string_view bytes, std::uint32_t crc = 0);

}  // namespace aim::ledger
