#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/cancellation.hpp"
#include "core/base/result.hpp"
#include "core/base/secret_string.hpp"
#include "core/base/task.hpp"
#include "core/http/header_map.hpp"
#include "core/http/url.hpp"

namespace aim::http::client {

// A request to a provider or a service, complete but for Host, Content-Length, Connection and
// Accept-Encoding. Header values may hold secrets already filled in: whoever has this object
// neither logs nor stores it.
struct UpstreamRequest {
    std::string method = "GET";
    Url url;
    HeaderMap headers;
    std::string body;
};

// Bounds of one exchange. A limit that is passed ends it with kUpstreamTimeout (times) or
// kProtocolError (sizes).
struct ExchangeLimits {
    std::chrono::milliseconds connect{
        5000};  // resolving, connecting and the TLS handshake together
    // Until the answer's head, from the moment that the request was written; and between two reads
    // of the body. Zero = none: the caller has its own.
    std::chrono::milliseconds head{0};
    std::chrono::milliseconds body_gap{0};
    std::size_t max_head_bytes = 64 * 1024;
};

// The answer of one request. The body is pulled: what is not read stays in the socket, so that a
// slow reader slows its provider and nobody's memory grows. Destroying it early closes the
// connection; after the end of the body the connection goes back to its pool. One loop's thread.
class UpstreamExchange {
  public:
    virtual ~UpstreamExchange() = default;

    virtual int status() const = 0;
    virtual const HeaderMap& headers() const = 0;

    // The next bytes of the body, decoded (chunks, gzip), valid until the next call; an empty view
    // is its regular end. Errors: kUpstreamFailure (code reset or truncated), kProtocolError
    // (bad_response), kUpstreamTimeout (body_timeout), kCancelled. After one, every further call
    // returns it again.
    virtual Task<Result<std::string_view>> Read() = 0;

    // Gives up the rest of the body: takes what has arrived already, without waiting, so that a
    // connection whose body is over (the terminating chunk was in the same segment) goes back to
    // its pool when the exchange is destroyed. True when it was. Nothing may be read afterwards.
    virtual bool Drain() = 0;

    // Whether the request went out on a connection that had been used before (a reset before any
    // byte of an answer is then the pool's fault, and the client has already tried a fresh one once
    // when the request was safe to send again).
    virtual bool reused() const = 0;
};

// Sends requests. One object a loop, with its own pool of connections; used on that loop's thread
// only. Errors of Send: kUpstreamFailure (name not found, refused, reset, TLS name or authority
// wrong; `code` says which: dns_failure connect_failed tls_failure reset), kUpstreamTimeout (code
// connect_timeout or head_timeout), kProtocolError (not HTTP; code bad_response), kOverloaded (code
// pool_exhausted), kCancelled, kInvalidRequest (a header that would not arrive as meant, or is the
// client's own: Host, Content-Length, Connection, …).
class HttpClient {
  public:
    virtual ~HttpClient() = default;

    // Connects or takes a pooled connection, writes the request, reads the head. `request` and
    // `cancellation` outlive the exchange. Redirects are answers like any other.
    virtual Task<Result<std::unique_ptr<UpstreamExchange>>> Send(UpstreamRequest request,
                                                                 ExchangeLimits limits,
                                                                 Cancellation& cancellation) = 0;
};

}  // namespace aim::http::client
