#include "core/http/middleware/trusted_proxies.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "core/base/ascii.hpp"

namespace aim::http {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// Without brackets and port.
std::string_view HostPart(std::string_view text) {
    if (!text.empty() && text.front() == '[') {
        const std::size_t close = text.find(']');
        return close == std::string_view::npos ? std::string_view() : text.substr(1, close - 1);
    }
    // One colon is a port, more are an IPv6 address.
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos)
        return text.substr(0, colon);
    return text;
}

}  // namespace

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
    const std::string host(HostPart(text));
    IpAddress address;
    in_addr v4{};
    if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) {
        std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes_.begin());
        std::memcpy(address.bytes_.data() + 12, &v4, 4);
        return address;
    }
    in6_addr v6{};
    if (host.size() != std::strlen(host.c_str()) || ::inet_pton(AF_INET6, host.c_str(), &v6) != 1)
        return std::nullopt;
    std::memcpy(address.bytes_.data(), &v6, 16);
    return address;
}

bool IpAddress::is_v4() const {
    return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes_.begin());
}

std::string IpAddress::ToString() const {
    char text[INET6_ADDRSTRLEN] = {};
    if (is_v4()) {
        ::inet_ntop(AF_INET, bytes_.data() + 12, text, sizeof text);
    } else {
        ::inet_ntop(AF_INET6, bytes_.data(), text, sizeof text);
    }
    return text;
}

Result<TrustedProxies> TrustedProxies::Parse(std::string_view list) {
    TrustedProxies proxies;
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(','), list.size());
        const std::string_view entry = TrimBlanks(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
        if (entry.empty()) continue;
        const std::size_t slash = std::min(entry.find('/'), entry.size());
        const auto address = IpAddress::Parse(entry.substr(0, slash));
        Network network;
        bool valid = address.has_value();
        if (valid) {
            network.address = *address;
            const int width = address->is_v4() ? 32 : 128;
            int bits = width;
            if (slash < entry.size()) {
                const std::string_view digits = entry.substr(slash + 1);
                const auto [stop, error] =
                    std::from_chars(digits.data(), digits.data() + digits.size(), bits);
                valid = error == std::errc() && stop == digits.data() + digits.size() &&
                        bits >= 0 && bits <= width;
            }
            network.bits = 128 - width + bits;
        }
        if (!valid)
            return FailField("TRUSTED_PROXIES",
                             "'" + std::string(entry) + "' is neither an address nor a network");
        proxies.networks_.push_back(network);
    }
    return proxies;
}

bool TrustedProxies::Contains(const IpAddress& address) const {
    return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
        const auto& a = address.bytes();
        const auto& b = network.address.bytes();
        const auto whole = static_cast<std::size_t>(network.bits / 8);
        if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin()))
            return false;
        const int rest = network.bits % 8;
        return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
    });
}

std::string TrustedProxies::ClientOf(std::string_view peer, const HeaderMap& headers) const {
    const auto peer_address = IpAddress::Parse(peer);
    if (!peer_address || !Contains(*peer_address)) return std::string(peer);
    // Each proxy appends whom it saw; so from the back, as long as those who speak are trusted.
    // Several headers are one list.
    std::string client(peer);
    for (std::size_t i = headers.size(); i > 0; --i) {
        const HeaderMap::Field field = headers[i - 1];
        if (!EqualsIgnoreCase(field.name, "X-Forwarded-For")) continue;
        std::string_view list = field.value;
        for (;;) {
            const std::size_t comma = list.rfind(',');
            const auto address = IpAddress::Parse(
                TrimBlanks(comma == std::string_view::npos ? list : list.substr(comma + 1)));
            if (!address) return client;
            client = address->ToString();
            if (!Contains(*address)) return client;
            if (comma == std::string_view::npos) break;
            list = list.substr(0, comma);
        }
    }
    return client;
}

}  // namespace aim::http
