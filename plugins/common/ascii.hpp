// Letters as protocols mean them, whatever the locale.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace aim::openai {

inline std::string Lowered(std::string_view text) {
    std::string lowered(text);
    std::transform(lowered.begin(), lowered.end(), lowered.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return lowered;
}

}  // namespace aim::openai
