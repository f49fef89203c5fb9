#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace aim::data_api {

// Makes a JSON text storable without changing its length: escapes for U+0000 and for lone
// surrogates, which PostgreSQL cannot keep, become the escape for U+FFFD. Offsets in later error
// messages stay true. Malformed JSON is left for the parser to refuse.
void RepairEscapes(std::string& json);

// At most `limit` bytes of UTF-8. A longer text is cut between characters and ends in a mark that
// says so and how long it was; the mark is part of the limit (unless that is smaller than the
// mark).
std::string CutText(std::string_view text, std::size_t limit);

// The first `characters` characters of well-formed UTF-8.
std::string_view FirstCharacters(std::string_view text, std::size_t characters);
std::size_t CountCharacters(std::string_view text);

}  // namespace aim::data_api
