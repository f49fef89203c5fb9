#include "core/base/utf8.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace aim {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

std::uint8_t Byte(std::string_view text, std::size_t position) {
    return static_cast<std::uint8_t>(text[position]);
}

// How many bytes a lead byte announces (0: it cannot begin a character), and which second bytes are
// allowed. Unicode 15, table 3-7.
struct Lead {
    std::size_t size = 0;
    std::uint8_t second_least = 0x80;
    std::uint8_t second_most = 0xBF;
};

Lead ReadLead(std::uint8_t byte) {
    if (byte < 0x80) return {1};
    if (byte >= 0xC2 && byte <= 0xDF) return {2};
    if (byte == 0xE0) return {3, 0xA0, 0xBF};
    if (byte == 0xED) return {3, 0x80, 0x9F};
    if (byte >= 0xE1 && byte <= 0xEF) return {3};
    if (byte == 0xF0) return {4, 0x90, 0xBF};
    if (byte >= 0xF1 && byte <= 0xF3) return {4};
    if (byte == 0xF4) return {4, 0x80, 0x8F};
    return {};
}

std::size_t AsciiRun(std::string_view text, std::size_t position) {
    while (position + 8 <= text.size()) {
        std::uint64_t word;
        std::memcpy(&word, text.data() + position, sizeof word);
        if ((word & 0x8080808080808080ULL) != 0) break;
        position += 8;
    }
    while (position < text.size() && Byte(text, position) < 0x80) ++position;
    return position;
}

}  // namespace

Utf8Step NextUtf8(std::string_view text) {
    const Lead lead = ReadLead(Byte(text, 0));
    if (lead.size == 0) return {Utf8Step::Kind::kMalformed, 1};
    for (std::size_t i = 1; i < lead.size; ++i) {
        if (i == text.size()) return {Utf8Step::Kind::kUnfinished, i};
        const std::uint8_t least = i == 1 ? lead.second_least : 0x80;
        const std::uint8_t most = i == 1 ? lead.second_most : 0xBF;
        if (Byte(text, i) < least || Byte(text, i) > most) return {Utf8Step::Kind::kMalformed, i};
    }
    return {Utf8Step::Kind::kValid, lead.size};
}

std::size_t ValidUtf8Prefix(std::string_view text) {
    std::size_t position = 0;
    for (;;) {
        position = AsciiRun(text, position);
        if (position == text.size()) return position;
        const Utf8Step step = NextUtf8(text.substr(position));
        if (step.kind != Utf8Step::Kind::kValid) return position;
        position += step.size;
    }
}

std::size_t CountCodePoints(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t position = 0; position < text.size(); ++count)
        position += NextUtf8(text.substr(position)).size;
    return count;
}

std::string_view TruncateUtf8(std::string_view text, std::size_t most) {
    if (text.size() <= most) return text;
    // Only the last three bytes can belong to a character that the cut goes through.
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, most); ++back) {
        const std::size_t begin = most - back;
        if ((Byte(text, begin) & 0xC0) == 0x80) continue;
        const Utf8Step step = NextUtf8(text.substr(begin));
        const bool cut = step.kind == Utf8Step::Kind::kValid && begin + step.size > most;
        return text.substr(0, cut ? begin : most);
    }
    return text.substr(0, most);
}

void SanitizeUtf8(std::string_view text, std::string& out) {
    Utf8Sanitizer sanitizer;
    sanitizer.Feed(text, out);
    sanitizer.Finish(out);
}

void Utf8Sanitizer::Feed(std::string_view piece, std::string& out) {
    // Complete (or refute) the character that the last piece left unfinished, a byte at a time:
    // there are at most three.
    while (!kept_.empty() && !piece.empty()) {
        kept_.push_back(piece.front());
        const Utf8Step step = NextUtf8(kept_);
        if (step.kind == Utf8Step::Kind::kMalformed) {
            // The new byte does not belong to it: one error, and the byte is looked at afresh.
            out.append(kReplacement);
            kept_.clear();
            break;
        }
        piece.remove_prefix(1);
        if (step.kind == Utf8Step::Kind::kValid) {
            out.append(kept_);
            kept_.clear();
        }
    }
    while (!piece.empty()) {
        const std::size_t valid = ValidUtf8Prefix(piece);
        out.append(piece.substr(0, valid));
        piece.remove_prefix(valid);
        if (piece.empty()) return;
        const Utf8Step step = NextUtf8(piece);
        if (step.kind == Utf8Step::Kind::kUnfinished) {
            kept_.assign(piece);
            return;
        }
        out.append(kReplacement);
        piece.remove_prefix(step.size);
    }
}

void Utf8Sanitizer::Finish(std::string& out) {
    if (!kept_.empty()) out.append(kReplacement);
    kept_.clear();
}

}  // namespace aim
