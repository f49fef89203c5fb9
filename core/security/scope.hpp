#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace aim::security {

// What an API key may be used for. One route needs at most one scope; no scope contains another.
enum class Scope : std::uint8_t {
    kNone = 0,     // any valid key
    kPrompts = 1,  // prompts, chat completions, embeddings
    kHistory = 2,  // the key's own history
    kAdmin = 4,    // plugins, provider tests: what changes or shows the gateway itself
};

// A set of scopes as the sum of their bits.
using ScopeSet = std::uint8_t;
inline constexpr ScopeSet kAllScopes = 0xff;

constexpr bool Grants(ScopeSet granted, Scope needed) {
    const auto bits = static_cast<ScopeSet>(needed);
    return (granted & bits) == bits;
}

struct ScopeName {
    Scope scope;
    std::string_view name;
};
inline constexpr std::array<ScopeName, 3> kScopeNames = {{
    {Scope::kPrompts, "prompts"},
    {Scope::kHistory, "history"},
    {Scope::kAdmin, "admin"},
}};

// Empty for kNone.
constexpr std::string_view NameOf(Scope scope) {
    for (const ScopeName& entry : kScopeNames) {
        if (entry.scope == scope) return entry.name;
    }
    return {};
}

constexpr std::optional<Scope> ParseScope(std::string_view name) {
    for (const ScopeName& entry : kScopeNames) {
        if (entry.name == name) return entry.scope;
    }
    return std::nullopt;
}

}  // namespace aim::security
