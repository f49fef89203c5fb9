#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/http/header_map.hpp"

namespace aim::http {

// An IPv4 or IPv6 address as 16 bytes, IPv4 in its mapped form, so that both compare alike.
class IpAddress {
  public:
    // "10.0.0.1", "::1", "[::1]", and either with a port behind it as proxies write it.
    static std::optional<IpAddress> Parse(std::string_view text);
    std::string ToString() const;
    const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
    bool is_v4() const;

  private:
    std::array<std::uint8_t, 16> bytes_{};
};

// Whose word on a client's address is taken (TRUSTED_PROXIES).
class TrustedProxies {
  public:
    // "10.0.0.0/8, ::1, 192.168.1.7"; empty trusts nobody. Fails naming the entry that is no
    // network.
    static Result<TrustedProxies> Parse(std::string_view list);

    bool empty() const { return networks_.empty(); }
    bool Contains(const IpAddress& address) const;

    // The client behind `peer`: the last address in X-Forwarded-For that is no trusted proxy;
    // `peer` itself when that is not trusted or nothing usable was said.
    std::string ClientOf(std::string_view peer, const HeaderMap& headers) const;

  private:
    struct Network {
        IpAddress address;
        int bits = 128;  // of the 16-byte form
    };
    std::vector<Network> networks_;
};

}  // namespace aim::http
