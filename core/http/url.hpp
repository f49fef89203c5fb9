#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aim::http {

// An absolute http or https URL, taken apart (RFC 3986, without user info and fragment, which are
// refused). The host is lower case and without brackets.
struct Url {
    bool tls = false;
    std::string host;
    std::uint16_t port = 0;
    std::string target;  // path and query, never empty, begins with '/'

    // Nullopt for anything that is not such a URL, also for control characters and spaces in it.
    static std::optional<Url> Parse(std::string_view text);

    // What the Host header says: the port only when it is not the scheme's own.
    std::string HostHeader() const;

    // "https://api.groq.com:443": the key of a connection pool.
    std::string Origin() const;
};

// Percent-decoding; '+' stays. Nullopt for a broken escape or an encoded NUL.
std::optional<std::string> PercentDecode(std::string_view text);

// The decoded value of `key` in a query string without its '?', the first one when there are
// several; nullopt when absent or badly encoded. '+' means a space, as forms write it.
std::optional<std::string> QueryValue(std::string_view query, std::string_view key);

}  // namespace aim::http
