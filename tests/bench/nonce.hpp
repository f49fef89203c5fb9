// The mark in each prompt that must come back in the answer: an answer that was meant for another
// prompt, came out of a cache, or that nobody asked the provider for does not count as good.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace aim::bench {

// Eight hexadecimal digits.
using Nonce = std::array<char, 8>;

// A request whose text holds the place for a nonce, `nonce [........]`.
class MarkedRequest {
  public:
    static constexpr std::string_view kPlace = "nonce [........]";

    // `first` is the first nonce's number; the others count on from there.
    MarkedRequest(std::string text, std::uint32_t first);

    // Whether the text has the place. Without one every answer passes.
    bool marked() const { return at_ != std::string::npos; }
    // Writes the next nonce into the text.
    Nonce Renew();
    const std::string& text() const { return text_; }

  private:
    std::string text_;
    std::size_t at_;
    std::uint32_t next_;
};

inline bool Holds(std::string_view answer, const Nonce& nonce) {
    return answer.find(std::string_view(nonce.data(), nonce.size())) != std::string_view::npos;
}

}  // namespace aim::bench
