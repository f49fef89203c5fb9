#include "services/telegram_bot/utf16.hpp"

#include "core/base/utf8.hpp"

namespace aim::telegram_bot {
namespace {

std::size_t UnitsOf(const Utf8Step& step) {
    return step.kind == Utf8Step::Kind::kValid && step.size == 4 ? 2 : 1;
}

}  // namespace

std::size_t Utf16Length(std::string_view text) {
    std::size_t units = 0;
    while (!text.empty()) {
        const Utf8Step step = NextUtf8(text);
        units += UnitsOf(step);
        text.remove_prefix(step.size);
    }
    return units;
}

std::size_t Utf16Prefix(std::string_view text, std::size_t units) {
    std::size_t at = 0;
    while (at < text.size()) {
        const Utf8Step step = NextUtf8(text.substr(at));
        const std::size_t more = UnitsOf(step);
        if (more > units) break;
        units -= more;
        at += step.size;
    }
    return at;
}

}  // namespace aim::telegram_bot
