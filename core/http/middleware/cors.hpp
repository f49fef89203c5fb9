#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/http/middleware.hpp"

namespace aim::http {

// Lets web pages of other origins call the API. Preflights are answered with 204 here, before
// anything asks for a key. Thread-safe.
class CorsMiddleware final : public Middleware {
  public:
    // CORS_ALLOWED_ORIGINS: "*", or origins with commas between ("https://a.example,
    // http://localhost:3000"); empty allows none.
    explicit CorsMiddleware(std::string_view allowed_origins);

    std::optional<Response> Before(Request& request, const Route* route) override;
    void After(const Request& request, const Route* route, Response& response) override;

  private:
    bool Allows(std::string_view origin) const;

    bool any_ = false;
    std::vector<std::string> origins_;
};

}  // namespace aim::http
