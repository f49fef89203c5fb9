#include "core/security/api_key_table.hpp"

#include <bit>
#include <cstring>
#include <utility>

#include "core/security/constant_time.hpp"

namespace aim::security {
namespace {

std::size_t HashOf(const Sha256Digest& digest) {
    std::size_t hash = 0;
    std::memcpy(&hash, digest.data(), sizeof hash);
    return hash;
}

std::string_view BytesOf(const Sha256Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

ApiKeyTable::ApiKeyTable(std::vector<ApiKeyEntry> entries)
    : entries_(std::move(entries)), slots_(std::bit_ceil(2 * entries_.size() + 2)) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        std::size_t at = HashOf(entries_[i].digest) & (slots_.size() - 1);
        while (slots_[at] != 0) at = (at + 1) & (slots_.size() - 1);
        slots_[at] = static_cast<std::uint32_t>(i + 1);
    }
}

const ApiKeyEntry* ApiKeyTable::Find(const Sha256Digest& digest) const {
    for (std::size_t at = HashOf(digest) & (slots_.size() - 1); slots_[at] != 0;
         at = (at + 1) & (slots_.size() - 1)) {
        const ApiKeyEntry& entry = entries_[slots_[at] - 1];
        if (ConstantTimeEquals(BytesOf(entry.digest), BytesOf(digest))) return &entry;
    }
    return nullptr;
}

}  // namespace aim::security
