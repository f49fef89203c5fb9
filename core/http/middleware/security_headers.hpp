#pragma once

#include "core/http/middleware.hpp"

namespace aim::http {

// Tells browsers not to guess types, not to frame the answers and to keep addresses to themselves;
// and every cache not to keep what has not said that it may be kept. Thread-safe.
class SecurityHeadersMiddleware final : public Middleware {
  public:
    std::optional<Response> Before(Request&, const Route*) override { return std::nullopt; }
    void After(const Request&, const Route*, Response& response) override {
        const auto add = [&response](std::string_view name, std::string_view value) {
            if (!response.headers.Has(name)) response.headers.Add(name, value);
        };
        add("X-Content-Type-Options", "nosniff");
        add("X-Frame-Options", "DENY");
        add("Referrer-Policy", "no-referrer");
        add("Cache-Control", "no-store");
    }
};

}  // namespace aim::http
