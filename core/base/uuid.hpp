#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.hpp"
#include "core/base/random.hpp"

namespace aim {

// A UUID (RFC 9562) as 16 bytes in network order; compares as its text does. The zero value is the
// nil UUID.
class Uuid {
  public:
    constexpr Uuid() = default;
    explicit constexpr Uuid(const std::array<std::uint8_t, 16>& bytes) : bytes_(bytes) {}

    // Accepts the 36-character form in either case, any version; nullopt otherwise.
    static std::optional<Uuid> Parse(std::string_view text);

    // Version 7: 48 bits of Unix milliseconds, the next 12 bits the fraction of the millisecond (so
    // that ids of one process sort by time of making), the rest random.
    static Uuid MakeV7(WallTime now, Random& random);

    // The 36 characters, lower case. Chars() is for those who write them somewhere at once.
    std::string ToString() const;
    std::array<char, 36> Chars() const;
    bool IsNil() const { return bytes_ == std::array<std::uint8_t, 16>{}; }
    int version() const { return bytes_[6] >> 4; }
    const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }

    friend auto operator<=>(const Uuid&, const Uuid&) = default;

  private:
    std::array<std::uint8_t, 16> bytes_{};
};

}  // namespace aim

template <>
struct std::hash<aim::Uuid> {
    std::size_t operator()(const aim::Uuid& id) const noexcept {
        std::uint64_t h = 0xcbf29ce484222325ULL;
        for (const std::uint8_t byte : id.bytes()) h = (h ^ byte) * 0x100000001b3ULL;
        return static_cast<std::size_t>(h);
    }
};
