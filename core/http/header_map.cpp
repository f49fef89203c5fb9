#include "core/http/header_map.hpp"

#include <algorithm>

#include "core/base/ascii.hpp"

namespace aim::http {

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    // Most names that are asked for differ in their first letter from what is there.
    if (a.empty() || (a.front() | 0x20) != (b.front() | 0x20)) return a.empty();
    return std::equal(a.begin(), a.end(), b.begin(),
                      [](char x, char y) { return x == y || AsciiLower(x) == AsciiLower(y); });
}

bool ListHasToken(std::string_view value, std::string_view token) {
    while (!value.empty()) {
        const std::size_t comma = value.find(',');
        if (EqualsIgnoreCase(TrimBlanks(value.substr(0, comma)), token)) return true;
        if (comma == std::string_view::npos) return false;
        value.remove_prefix(comma + 1);
    }
    return false;
}

void HeaderMap::Add(std::string_view name, std::string_view value) {
    if (spans_.capacity() == 0) {
        // Room for an ordinary message at once, instead of growing to it step by step.
        spans_.reserve(16);
        text_.reserve(512);
    }
    Span span{};
    span.name_at = static_cast<std::uint32_t>(text_.size());
    span.name_size = static_cast<std::uint32_t>(name.size());
    text_.append(name);
    span.value_at = static_cast<std::uint32_t>(text_.size());
    span.value_size = static_cast<std::uint32_t>(value.size());
    text_.append(value);
    spans_.push_back(span);
}

void HeaderMap::Set(std::string_view name, std::string_view value) {
    Remove(name);
    Add(name, value);
}

void HeaderMap::Remove(std::string_view name) {
    std::erase_if(spans_, [&](const Span& span) {
        return EqualsIgnoreCase(std::string_view(text_).substr(span.name_at, span.name_size), name);
    });
}

void HeaderMap::Clear() {
    text_.clear();
    spans_.clear();
}

std::string_view HeaderMap::Find(std::string_view name) const {
    for (const Span& span : spans_) {
        if (EqualsIgnoreCase({text_.data() + span.name_at, span.name_size}, name)) {
            return {text_.data() + span.value_at, span.value_size};
        }
    }
    return {};
}

HeaderMap::Field HeaderMap::operator[](std::size_t i) const {
    const Span& span = spans_[i];
    return {{text_.data() + span.name_at, span.name_size},
            {text_.data() + span.value_at, span.value_size}};
}

}  // namespace aim::http
