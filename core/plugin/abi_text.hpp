#pragma once

#include <string_view>

#include "aim/abi/types.h"

// The ABI's texts as the standard library's, and back: neither owns its bytes.
namespace aim::plugin {

// A null pointer is no text, whatever its size.
inline std::string_view View(aim_str text) {
    return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size);
}

constexpr aim_str Str(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace aim::plugin
