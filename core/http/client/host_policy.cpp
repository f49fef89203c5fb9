#include "core/http/client/host_policy.hpp"

#include <algorithm>
#include <optional>

namespace aim::http::client {
namespace {

std::string Normalise(std::string_view host) {
    if (host.size() > 1 && host.back() == '.') host.remove_suffix(1);
    std::string lower(host);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
    return lower;
}

// "a.b-c.d": labels that are not empty. Refuses user info, ports, paths and whatever else is no
// host name.
bool IsPlainName(std::string_view host) {
    if (host.empty() || host.front() == '.' || host.back() == '.') return false;
    if (host.find("..") != std::string_view::npos) return false;
    return std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
               c == '_' || static_cast<unsigned char>(c) >= 0x80;
    });
}

// Four decimal parts without leading zeros; the first one, or nothing.
std::optional<int> FirstPartOfPlainAddress(std::string_view text) {
    std::optional<int> first;
    for (int part = 0; part < 4; ++part) {
        int value = 0;
        std::size_t digits = 0;
        while (digits < text.size() && digits < 3 && text[digits] >= '0' && text[digits] <= '9') {
            value = value * 10 + (text[digits] - '0');
            ++digits;
        }
        if (digits == 0 || value > 255 || (digits > 1 && text[0] == '0')) return std::nullopt;
        text.remove_prefix(digits);
        if (part == 0) first = value;
        if (part == 3) break;
        if (text.empty() || text.front() != '.') return std::nullopt;
        text.remove_prefix(1);
    }
    return text.empty() ? first : std::nullopt;
}

}  // namespace

bool IsLoopbackHost(std::string_view host) {
    const std::string name = Normalise(host);
    return name == "localhost" || name == "::1" || FirstPartOfPlainAddress(name) == 127;
}

HostPolicy::HostPolicy(const std::vector<std::string>& provider_hosts,
                       const std::vector<std::string>& further_hosts) {
    for (const auto* list : {&provider_hosts, &further_hosts}) {
        for (const std::string& entry : *list) {
            if (entry.find_first_not_of('.') != std::string::npos)
                entries_.push_back(Normalise(entry));
        }
    }
}

bool HostPolicy::MayReceive(SecretOwner owner, std::string_view host) const {
    if (host.empty()) return false;
    if (owner == SecretOwner::kRow || IsLoopbackHost(host)) return true;
    const std::string name = Normalise(host);
    const bool plain = IsPlainName(name);
    return std::any_of(entries_.begin(), entries_.end(), [&](const std::string& entry) {
        if (entry.front() != '.') return name == entry;
        return plain && name.size() > entry.size() && name.ends_with(entry);
    });
}

}  // namespace aim::http::client
