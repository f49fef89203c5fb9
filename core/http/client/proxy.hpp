#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/secret_string.hpp"
#include "core/http/url.hpp"

namespace aim::http::client {

// An HTTP proxy on the way: https goes through it by CONNECT, http by absolute-form requests.
struct ProxyServer {
    std::string host;
    std::uint16_t port = 0;
    SecretString authorization;  // the value of Proxy-Authorization, or empty
};

// Which requests go through which proxy. Loopback never does.
struct ProxyOptions {
    std::optional<ProxyServer> for_https;
    std::optional<ProxyServer> for_http;
    // Hosts that are reached directly: names (with their subdomains), addresses, networks
    // "10.0.0.0/8", each with an optional port;
    // "*" means all.
    std::vector<std::string> direct;

    // From HTTPS_PROXY, HTTP_PROXY and NO_PROXY (or their lower-case names, which win), looked up
    // by `variable`, which returns an empty text for an absent one. Fails for a proxy URL that is
    // not "http://[user:password@]host:port"; the message holds no value.
    static Result<ProxyOptions> FromEnvironment(
        const std::function<std::string(const char*)>& variable);

    // Null: directly.
    const ProxyServer* For(const Url& url) const;
};

}  // namespace aim::http::client
