#include "core/plugin/refusal.hpp"

#include <array>
#include <cstddef>

namespace aim::plugin {
namespace {

constexpr std::array<std::string_view, kRefusalReasonCount> kNames = {
    "not_regular_file",
    "unsafe_owner_or_mode",
    "too_large",
    "still_changing",
    "not_elf",
    "wrong_machine",
    "truncated",
    "needs_newer_libc",
    "needs_forbidden_library",
    "extra_exports",
    "missing_entry",
    "unique_symbols",
    "static_tls",
    "manifest_missing",
    "abi_major",
    "abi_minor",
    "not_trusted",
    "noexec_staging",
    "probe_timeout",
    "probe_crashed",
    "probe_failed",
    "init_failed",
    "duplicate_id",
    "quarantined",
    "unreadable",
    "text_relocations",
    "manifest_mismatch",
    "staging_failed",
    "load_failed",
    "bad_descriptor",
    "bad_interface",
    "forbidden_import",
};

}  // namespace

std::string_view RefusalName(RefusalReason reason) {
    return kNames[static_cast<std::size_t>(reason)];
}

std::optional<RefusalReason> ParseRefusalName(std::string_view name) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (kNames[i] == name) return static_cast<RefusalReason>(i);
    }
    return std::nullopt;
}

std::string Printable(std::string_view text, std::size_t most) {
    std::string shown;
    for (const char c : text) {
        if (shown.size() == most) return shown + "...";
        shown += c >= ' ' && c < 127 ? c : '?';
    }
    return shown;
}

}  // namespace aim::plugin
