#pragma once

#include <utility>

#include "core/http/middleware.hpp"
#include "core/http/middleware/trusted_proxies.hpp"

namespace aim::http {

// Puts the client's address in the place of a trusted proxy's. First in the chain. Thread-safe.
class ClientAddressMiddleware final : public Middleware {
  public:
    explicit ClientAddressMiddleware(TrustedProxies proxies) : proxies_(std::move(proxies)) {}

    std::optional<Response> Before(Request& request, const Route*) override {
        if (!proxies_.empty())
            request.client_address = proxies_.ClientOf(request.client_address, request.headers);
        return std::nullopt;
    }
    void Refused(Request& request) override { Before(request, nullptr); }
    void After(const Request&, const Route*, Response&) override {}

  private:
    const TrustedProxies proxies_;
};

}  // namespace aim::http
