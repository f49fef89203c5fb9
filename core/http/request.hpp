#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/cancellation.hpp"
#include "core/base/clock.hpp"
#include "core/http/header_map.hpp"

namespace aim::http {

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };

// "GET" and so on; kOther is "OTHER".
std::string_view MethodName(Method method);
Method ParseMethod(std::string_view name);

// Where a caller stands with its rate limit, for the RateLimit-… headers.
struct RateLimitState {
    std::uint32_t limit = 0;
    std::uint32_t remaining = 0;
    std::uint32_t reset_seconds = 0;
};

// One request as a server received it, whole. Filled in by the server and by the middleware that is
// named beside a member; read-only for handlers, but for DropBody().
struct Request {
    // A body up to this size keeps its memory for the next request.
    static constexpr std::size_t kKeptBody = 64 * 1024;

    Method method = Method::kGet;
    std::string target;  // as sent: path and query
    HeaderMap headers;
    std::string body;
    std::string client_address;  // the peer's address as text; behind trusted proxies the client's
    std::string request_id;      // middleware request_id
    std::string key_id;  // middleware auth: a stable name of the caller's key that is not the key;
                         // empty without one
    std::optional<std::uint32_t>
        key_rate_limit;  // middleware auth: the key's own limit a minute, 0 = none; empty = ours
    std::optional<RateLimitState>
        rate_limit;               // middleware rate_limit; empty where there is no limit
    MonotonicTime received_at{};  // when it was complete; a refused one: its head

    // The body is not needed any more; gives back its memory when that is over `most_kept` bytes.
    void DropBody(std::size_t most_kept = kKeptBody) {
        body.clear();
        if (body.capacity() > most_kept) std::string().swap(body);
    }

    // For the next request of a connection: keeps usual amounts of memory and the client's address.
    void Clear() {
        method = Method::kGet;
        target.clear();
        headers.Clear();
        DropBody();
        received_at = {};
        request_id.clear();
        key_id.clear();
        key_rate_limit.reset();
        rate_limit.reset();
    }

    // The path as sent (not decoded), without the query; and the query without its '?'.
    std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
    std::string_view query() const {
        const std::size_t mark = target.find('?');
        return mark == std::string::npos ? std::string_view()
                                         : std::string_view(target).substr(mark + 1);
    }
};

}  // namespace aim::http
