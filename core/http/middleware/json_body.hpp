#pragma once

#include <string>
#include <string_view>

#include "core/http/error_response.hpp"
#include "core/http/middleware.hpp"

namespace aim::http {

// Whether a Content-Type is JSON: application/json or anything that ends in +json, with or without
// parameters, in any case.
bool IsJsonType(std::string_view content_type);

// Refuses bodies that say they are something else than JSON, or compressed, with 415 and before
// they are uploaded. A body that does not say what it is passes, and is read as JSON. For services
// whose every route with a body takes JSON; after the auth middleware, so that a stranger learns
// nothing. Thread-safe.
class JsonBodyMiddleware final : public Middleware {
  public:
    explicit JsonBodyMiddleware(const Clock& clock = SystemClock()) : errors_(clock) {}

    std::optional<Response> Before(Request& request, const Route* route) override;
    void After(const Request&, const Route*, Response&) override {}

  private:
    Response Refuse(const Request& request, const Route* route, const std::string& message) const;

    const ErrorWriter errors_;
};

}  // namespace aim::http
