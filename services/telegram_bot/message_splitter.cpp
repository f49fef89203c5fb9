#include "services/telegram_bot/message_splitter.hpp"

#include <algorithm>
#include <cstdint>

#include "core/base/utf8.hpp"

namespace aim::telegram_bot {
namespace {

constexpr std::string_view kCloseFence = "\n```";

std::string_view TrimFenceIndent(std::string_view line) {
    for (int spaces = 0; spaces < 3 && line.starts_with(' '); ++spaces) line.remove_prefix(1);
    return line;
}

bool ClosesFence(std::string_view line) {
    line = TrimFenceIndent(line).substr(3);
    return line.find_first_not_of("`~ \t\r") == std::string_view::npos;
}

std::uint32_t CodePoint(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const Utf8Step step = NextUtf8(text);
    if (step.kind != Utf8Step::Kind::kValid) return 0xFFFD;
    switch (step.size) {
        case 1:
            return byte(0);
        case 2:
            return (byte(0) & 0x1Fu) << 6 | (byte(1) & 0x3Fu);
        case 3:
            return (byte(0) & 0x0Fu) << 12 | (byte(1) & 0x3Fu) << 6 | (byte(2) & 0x3Fu);
        default:
            return (byte(0) & 0x07u) << 18 | (byte(1) & 0x3Fu) << 12 | (byte(2) & 0x3Fu) << 6 |
                   (byte(3) & 0x3Fu);
    }
}

// Belongs to the character before it.
bool JoinsPrevious(std::uint32_t c) {
    return (c >= 0x0300 && c <= 0x036F) || (c >= 0x1AB0 && c <= 0x1AFF) ||
           (c >= 0x20D0 && c <= 0x20FF) || (c >= 0xFE00 && c <= 0xFE0F) || c == 0x200D ||
           (c >= 0x1F3FB && c <= 0x1F3FF) || (c >= 0xE0020 && c <= 0xE007F);
}

std::size_t PreviousCharacter(std::string_view text, std::size_t at) {
    do {
        --at;
    } while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
    return at;
}

// The last place at or before `at` where a character begins that stands by itself; `at` when there
// is none in reach.
std::size_t BetweenCharacters(std::string_view text, std::size_t at) {
    constexpr int kLongestCluster = 32;
    std::size_t place = at;
    for (int steps = 0; steps < kLongestCluster && place > 0 && place < text.size(); ++steps) {
        const std::size_t before = PreviousCharacter(text, place);
        const bool joined = JoinsPrevious(CodePoint(text.substr(place))) ||
                            CodePoint(text.substr(before)) == 0x200D;
        if (!joined) return place;
        place = before;
    }
    return at;
}

// Where to cut `text`, of which `fits` bytes fit: after the best separator in its second half.
std::size_t BestPlace(std::string_view text, std::size_t fits, bool in_code) {
    const std::string_view window = text.substr(0, fits);
    const std::size_t least = fits / 2;
    const auto after = [&](std::string_view separator) -> std::size_t {
        const std::size_t at = window.rfind(separator);
        return at == std::string_view::npos || at + separator.size() <= least
                   ? 0
                   : at + separator.size();
    };
    if (in_code) {
        if (const std::size_t line = after("\n")) return line;
        return BetweenCharacters(text, fits);
    }
    for (const std::string_view separator : {"\n\n", "\n"}) {
        if (const std::size_t place = after(separator)) return place;
    }
    std::size_t sentence = 0;
    for (const std::string_view end : {". ", "! ", "? ", "… ", "; "})
        sentence = std::max(sentence, after(end));
    if (sentence > 0) return sentence;
    if (const std::size_t space = after(" ")) return space;
    return BetweenCharacters(text, fits);
}

// Walks the lines of carry and text together.
std::string_view OpenFenceOver(std::string_view carry, std::string_view text) {
    // A carry is nothing but the opening line.
    std::string_view open = carry.substr(0, carry.find('\n'));
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        if (IsFenceLine(line)) {
            if (open.empty()) {
                open = line;
            } else if (ClosesFence(line)) {
                open = {};
            }
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return open;
}

}  // namespace

bool IsFenceLine(std::string_view line) {
    line = TrimFenceIndent(line);
    return line.starts_with("```") || line.starts_with("~~~");
}

std::string_view OpenFence(std::string_view text) { return OpenFenceOver({}, text); }

bool FitsOneMessage(std::string_view carry, std::string_view text, std::size_t limit) {
    // A code unit is at least one byte.
    if (carry.size() + text.size() <= limit) return true;
    return Utf16Length(carry) + Utf16Length(text) <= limit;
}

Cut CutFront(std::string_view carry, std::string_view text, std::size_t limit) {
    const std::size_t room = limit - Utf16Length(carry) - kCloseFence.size();
    const std::size_t fits = Utf16Prefix(text, room);
    const bool in_code = !OpenFenceOver(carry, text.substr(0, fits)).empty();
    std::size_t place = BestPlace(text, fits, in_code);
    // A fence line that was cut in two would be none.
    const std::size_t line_start = text.substr(0, place).rfind('\n') + 1;
    if (line_start > 0 && line_start < place && IsFenceLine(text.substr(line_start, 8)))
        place = line_start;
    if (place == 0) place = fits;

    Cut cut;
    cut.taken = place;
    std::string_view piece = text.substr(0, place);
    const std::string_view open = OpenFenceOver(carry, piece);
    while (!piece.empty() && (piece.back() == '\n' || piece.back() == ' ')) piece.remove_suffix(1);
    cut.part.append(carry).append(piece);
    if (!open.empty()) {
        cut.part.append(kCloseFence);
        const std::string_view rest = text.substr(place);
        const std::string_view next = rest.substr(0, rest.find('\n'));
        if (IsFenceLine(next) && ClosesFence(next)) {
            // The block ends here anyway: the rest would begin with an empty one.
            cut.taken = std::min(text.size(), place + next.size() + 1);
        } else {
            const std::string_view line = Utf16Length(open) <= limit / 4 ? open : open.substr(0, 3);
            cut.next_carry.append(line).append("\n");
        }
    } else {
        while (cut.taken < text.size() && text[cut.taken] == '\n') ++cut.taken;
    }
    return cut;
}

std::vector<std::string> SplitMessage(std::string_view text, std::size_t limit) {
    std::vector<std::string> parts;
    std::string carry;
    while (!FitsOneMessage(carry, text, limit)) {
        Cut cut = CutFront(carry, text, limit);
        text.remove_prefix(cut.taken);
        parts.push_back(std::move(cut.part));
        carry = std::move(cut.next_carry);
    }
    if (parts.empty() || text.find_first_not_of(" \n\r\t") != std::string_view::npos)
        parts.push_back(carry.append(text));
    return parts;
}

}  // namespace aim::telegram_bot
