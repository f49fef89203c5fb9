#include "core/http/client/secret_slots.hpp"

#include <algorithm>

namespace aim::http::client {
namespace {

constexpr std::size_t kLongestSlotName = 128;

bool IsSlotName(std::string_view name) {
    return !name.empty() && name.size() <= kLongestSlotName &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                      c == '_';
           });
}

// Calls `literal(text)` and `slot(name)` for the parts in their order; stops with the first error
// of either.
template <typename Literal, typename Slot>
Result<void> Walk(std::string_view text, Literal&& literal, Slot&& slot) {
    while (!text.empty()) {
        const std::size_t brace = text.find_first_of("{}");
        literal(text.substr(0, brace));
        if (brace == std::string_view::npos) return {};
        const char c = text[brace];
        text.remove_prefix(brace + 1);
        if (!text.empty() && text.front() == c) {
            literal(text.substr(0, 1));
            text.remove_prefix(1);
            continue;
        }
        const std::size_t end = text.find('}');
        if (c == '}' || end == std::string_view::npos || !IsSlotName(text.substr(0, end))) {
            return Fail(ErrorKind::kInvalidRequest,
                        "a header template has a brace that is no slot");
        }
        Result<void> filled = slot(text.substr(0, end));
        if (!filled) return filled;
        text.remove_prefix(end + 1);
    }
    return {};
}

}  // namespace

Result<std::string> FillSecretSlots(std::string_view header_template,
                                    const SecretResolver& resolver) {
    std::string value;
    // Once, for a usual key: what is outgrown is not wiped.
    value.reserve(header_template.size() + 240);
    const auto filled = Walk(
        header_template, [&](std::string_view text) { value.append(text); },
        [&](std::string_view name) -> Result<void> {
            const SecretString* secret = resolver ? resolver(name) : nullptr;
            if (secret == nullptr)
                return Fail(ErrorKind::kInvalidRequest,
                            "unknown slot " + std::string(name) + " in a header template");
            const std::string_view text = secret->Reveal();
            for (const char c : text) {
                const auto code = static_cast<unsigned char>(c);
                if (code < 0x20 || code == 0x7f) {
                    return FailField(
                        std::string(name),
                        "the value of " + std::string(name) + " holds a control character",
                        "setting_value");
                }
            }
            value.append(text);
            return {};
        });
    if (!filled) {
        explicit_bzero(value.data(), value.size());
        return tl::make_unexpected(filled.error());
    }
    return value;
}

bool HasSecretSlots(std::string_view header_template) {
    bool found = false;
    const auto walked = Walk(
        header_template, [](std::string_view) {},
        [&](std::string_view) -> Result<void> {
            found = true;
            return {};
        });
    return found || !walked;
}

}  // namespace aim::http::client
