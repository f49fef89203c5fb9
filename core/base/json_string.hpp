#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace aim {

// The first position from `position` on whose byte does not stand for itself in a JSON string: a
// control character, a quote, a backslash or no ASCII; text.size() when all do.
std::size_t EndOfPlainJson(std::string_view text, std::size_t position);

// Appends `text` as a JSON string with its quotes (RFC 8259): control characters escaped, malformed
// UTF-8 replaced by U+FFFD.
void AppendJsonString(std::string_view text, std::string& out);

}  // namespace aim
