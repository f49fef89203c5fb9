#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "services/telegram_bot/utf16.hpp"

namespace aim::telegram_bot {

// The front of a text that is too long for one message.
struct Cut {
    std::string part;        // what to send: within the limit, an open code block closed
    std::size_t taken = 0;   // bytes of the text that are in it (with the white space at the cut)
    std::string next_carry;  // what the rest begins with: the opening line of the code block that
                             // was cut, or nothing
};

// Whether carry and text still fit into one message.
bool FitsOneMessage(std::string_view carry, std::string_view text,
                    std::size_t limit = kMessageUnits);

// Cuts at the last paragraph, line, sentence or space within the limit; in a code block at a line.
// Never inside a character, nor between one and what joins it (combining marks, joiners, skin
// tones). Where it cuts depends on the first `limit` units only, so that a text that still grows is
// cut where the whole one would be. `carry` is the next_carry of the cut before. The text must not
// fit. `limit` is at least 64; a code block's opening line that is longer than a quarter of it is
// not repeated.
Cut CutFront(std::string_view carry, std::string_view text, std::size_t limit = kMessageUnits);

// All parts of a finished text, in order; one when it fits.
std::vector<std::string> SplitMessage(std::string_view text, std::size_t limit = kMessageUnits);

// The opening line of the code block that is open at the end of the text ("```python"), or nothing.
std::string_view OpenFence(std::string_view text);

// Whether a line opens or closes a code block: it begins with three backticks or tildes, after at
// most three spaces.
bool IsFenceLine(std::string_view line);

}  // namespace aim::telegram_bot
