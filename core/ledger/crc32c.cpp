#include "core/ledger/crc32c.hpp"

#include <cstddef>
#include <cstring>

#include <boost/crc.hpp>

namespace aim::ledger {
namespace {

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) std::uint32_t ByInstruction(std::string_view bytes,
                                                              std::uint32_t crc) {
    std::uint64_t state = ~crc;
    const char* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= sizeof(std::uint64_t); at += sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, sizeof word);
        state = __builtin_ia32_crc32di(state, word);
        left -= sizeof word;
    }
    auto rest = static_cast<std::uint32_t>(state);
    for (; left > 0; --left, ++at)
        rest = __builtin_ia32_crc32qi(rest, static_cast<unsigned char>(*at));
    return ~rest;
}

bool HasInstruction() {
    static const bool has = __builtin_cpu_supports("sse4.2") != 0;
    return has;
}

#else

std::uint32_t ByInstruction(std::string_view bytes, std::uint32_t crc) {
    return Crc32cByTable(bytes, crc);
}
bool HasInstruction() { return false; }

#endif

// The polynomial's bits in reverse of `value`: Boost takes the start in the unreflected order.
std::uint32_t Reversed(std::uint32_t value) {
    std::uint32_t reversed = 0;
    for (int bit = 0; bit < 32; ++bit) reversed |= ((value >> bit) & 1u) << (31 - bit);
    return reversed;
}

}  // namespace

std::uint32_t Crc32cByTable(std::string_view bytes, std::uint32_t crc) {
    boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> sum(Reversed(~crc));
    sum.process_bytes(bytes.data(), bytes.size());
    return sum.checksum();
}

std::uint32_t Crc32c(std::string_view bytes, std::uint32_t crc) {
    return HasInstruction() ? ByInstruction(bytes, crc) : Crc32cByTable(bytes, crc);
}

}  // namespace aim::ledger
