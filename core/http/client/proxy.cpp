#include "core/http/client/proxy.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <openssl/evp.h>

#include "core/http/client/host_policy.hpp"
#include "core/http/header_map.hpp"

namespace aim::http::client {
namespace {

using boost::asio::ip::address;

std::string Base64(std::string_view text) {
    std::string encoded(4 * ((text.size() + 2) / 3) + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
    encoded.resize(static_cast<std::size_t>(size));
    return encoded;
}

std::optional<ProxyServer> ParseProxy(std::string_view text) {
    constexpr std::string_view kScheme = "http://";
    if (text.find("://") == std::string_view::npos) {
        // curl and others accept "host:port".
    } else if (EqualsIgnoreCase(text.substr(0, kScheme.size()), kScheme)) {
        text.remove_prefix(kScheme.size());
    } else {
        return std::nullopt;
    }
    ProxyServer proxy;
    const std::size_t at = text.rfind('@');
    if (at != std::string_view::npos) {
        const auto credentials = PercentDecode(text.substr(0, at));
        if (!credentials) return std::nullopt;
        proxy.authorization = SecretString("Basic " + Base64(*credentials));
        text.remove_prefix(at + 1);
    }
    const auto url = Url::Parse(std::string(kScheme) + std::string(text));
    if (!url || url->target != "/") return std::nullopt;
    proxy.host = url->host;
    proxy.port = url->port;
    return proxy;
}

std::vector<std::string> SplitList(std::string_view text) {
    std::vector<std::string> items;
    while (!text.empty()) {
        const std::size_t end = text.find_first_of(", \t");
        if (end != 0) items.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return items;
}

bool InNetwork(const std::string& entry, const address& host) {
    boost::system::error_code error;
    if (host.is_v4()) {
        const auto network = boost::asio::ip::make_network_v4(entry, error);
        if (error) return false;
        return network.canonical() ==
               boost::asio::ip::network_v4(host.to_v4(), network.prefix_length()).canonical();
    }
    const auto network = boost::asio::ip::make_network_v6(entry, error);
    if (error) return false;
    return network.canonical() ==
           boost::asio::ip::network_v6(host.to_v6(), network.prefix_length()).canonical();
}

bool Matches(const std::string& entry, const Url& url) {
    if (entry == "*") return true;
    boost::system::error_code error;
    const address host = boost::asio::ip::make_address(url.host, error);
    const bool host_is_address = !error;
    if (host_is_address && entry.find('/') != std::string::npos) return InNetwork(entry, host);
    boost::system::error_code entry_error;
    const address entry_address = boost::asio::ip::make_address(entry, entry_error);
    if (!entry_error) return host_is_address && entry_address == host;
    std::string_view name = entry;
    const std::size_t colon = name.rfind(':');
    if (colon != std::string_view::npos) {
        if (name.substr(colon + 1) != std::to_string(url.port)) return false;
        name = name.substr(0, colon);
    }
    if (!name.empty() && name.front() == '.') name.remove_prefix(1);
    if (name.empty()) return false;
    if (EqualsIgnoreCase(name, url.host)) return true;
    if (host_is_address || url.host.size() <= name.size()) return false;
    const std::string_view tail = std::string_view(url.host).substr(url.host.size() - name.size());
    return EqualsIgnoreCase(tail, name) && url.host[url.host.size() - name.size() - 1] == '.';
}

}  // namespace

Result<ProxyOptions> ProxyOptions::FromEnvironment(
    const std::function<std::string(const char*)>& variable) {
    const auto either = [&](const char* lower, const char* upper) {
        std::string value = variable(lower);
        return value.empty() ? variable(upper) : value;
    };
    ProxyOptions options;
    if (const std::string text = either("https_proxy", "HTTPS_PROXY"); !text.empty()) {
        options.for_https = ParseProxy(text);
        if (!options.for_https)
            return Fail(ErrorKind::kInvalidRequest, "HTTPS_PROXY is not an http:// URL of a proxy");
    }
    if (const std::string text = either("http_proxy", "HTTP_PROXY"); !text.empty()) {
        options.for_http = ParseProxy(text);
        if (!options.for_http)
            return Fail(ErrorKind::kInvalidRequest, "HTTP_PROXY is not an http:// URL of a proxy");
    }
    options.direct = SplitList(either("no_proxy", "NO_PROXY"));
    return options;
}

const ProxyServer* ProxyOptions::For(const Url& url) const {
    const std::optional<ProxyServer>& proxy = url.tls ? for_https : for_http;
    if (!proxy || IsLoopbackHost(url.host)) return nullptr;
    for (const std::string& entry : direct) {
        if (Matches(entry, url)) return nullptr;
    }
    return &*proxy;
}

}  // namespace aim::http::client
