#include "tests/bench/nonce.hpp"

#include <utility>

namespace aim::bench {

MarkedRequest::MarkedRequest(std::string text, std::uint32_t first)
    : text_(std::move(text)), at_(text_.find(kPlace)), next_(first) {
    if (marked()) at_ += kPlace.find('.');
}

Nonce MarkedRequest::Renew() {
    constexpr std::string_view kDigits = "0123456789abcdef";
    // An odd factor: no number twice, and neighbours do not look alike.
    std::uint32_t value = next_++ * 2'654'435'761U;
    Nonce nonce;
    for (char& digit : nonce) {
        digit = kDigits[value & 15U];
        value >>= 4U;
    }
    if (marked()) text_.replace(at_, nonce.size(), nonce.data(), nonce.size());
    return nonce;
}

}  // namespace aim::bench
