#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace aim {

// UTF-8 as Unicode defines it: no overlong forms, no surrogates, nothing above U+10FFFF. A
// malformed sequence counts as one error a maximal subpart (Unicode 15, section 3.9), so that
// everybody who repairs a text gets the same number of U+FFFD.

// How many bytes at the front of `text` are valid; text.size() when all are.
std::size_t ValidUtf8Prefix(std::string_view text);

inline bool IsValidUtf8(std::string_view text) { return ValidUtf8Prefix(text) == text.size(); }

// Code points of a text; a malformed sequence counts as one.
std::size_t CountCodePoints(std::string_view text);

// The longest front of `text` of at most `most` bytes that does not cut a character.
std::string_view TruncateUtf8(std::string_view text, std::size_t most);

// Appends `text` to `out`, malformed sequences replaced by U+FFFD.
void SanitizeUtf8(std::string_view text, std::string& out);

// The same for a text that arrives in pieces that may end inside a character: such an end is kept
// until the next piece. One stream, one thread.
class Utf8Sanitizer {
  public:
    void Feed(std::string_view piece, std::string& out);
    // The text is over: what was kept becomes U+FFFD. The object can then be used for another text.
    void Finish(std::string& out);

  private:
    std::string kept_;  // at most three bytes, all of one unfinished character
};

// One step through a text, for those who walk it anyway (writers of JSON).
struct Utf8Step {
    enum class Kind { kValid, kMalformed, kUnfinished };
    Kind kind = Kind::kValid;
    std::size_t size =
        0;  // bytes of this character or of this error; for kUnfinished what is there of it
};

// What begins at text[0]; `text` must not be empty.
Utf8Step NextUtf8(std::string_view text);

}  // namespace aim
