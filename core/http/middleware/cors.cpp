#include "core/http/middleware/cors.hpp"

#include <algorithm>

#include "core/base/ascii.hpp"

namespace aim::http {
namespace {

constexpr std::string_view kMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
constexpr std::string_view kHeaders = "Authorization, Content-Type, X-API-Key, X-Request-Id";
constexpr std::string_view kExposed =
    "X-Request-Id, X-AIManager-Model, X-AIManager-Provider, X-AIManager-Score, "
    "X-AIManager-Attempts, X-AIManager-Overhead-Us, "
    "X-Should-Retry, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset";

}  // namespace

CorsMiddleware::CorsMiddleware(std::string_view allowed_origins) {
    while (!allowed_origins.empty()) {
        const std::size_t end = std::min(allowed_origins.find(','), allowed_origins.size());
        std::string_view origin = TrimBlanks(allowed_origins.substr(0, end));
        allowed_origins.remove_prefix(std::min(end + 1, allowed_origins.size()));
        // A browser's Origin has no slash at its end, a typed one often does.
        if (origin.ends_with('/')) origin.remove_suffix(1);
        if (origin == "*") any_ = true;
        if (!origin.empty()) origins_.emplace_back(origin);
    }
}

bool CorsMiddleware::Allows(std::string_view origin) const {
    return any_ ||
           std::any_of(origins_.begin(), origins_.end(), [origin](const std::string& allowed) {
               return EqualsIgnoreCase(allowed, origin);
           });
}

std::optional<Response> CorsMiddleware::Before(Request& request, const Route*) {
    if (request.method != Method::kOptions || !request.headers.Has("Origin") ||
        !request.headers.Has("Access-Control-Request-Method")) {
        return std::nullopt;
    }
    Response response;
    response.status = 204;
    if (Allows(request.headers.Find("Origin"))) {
        response.headers.Add("Access-Control-Allow-Methods", kMethods);
        // What the page wants to send: SDKs add headers of their own, and "*" would not cover
        // Authorization.
        const std::string_view asked = request.headers.Find("Access-Control-Request-Headers");
        response.headers.Add("Access-Control-Allow-Headers", asked.empty() ? kHeaders : asked);
        response.headers.Add("Access-Control-Max-Age", "600");
    }
    return response;
}

void CorsMiddleware::After(const Request& request, const Route*, Response& response) {
    if (!any_) response.headers.Add("Vary", "Origin");
    const std::string_view origin = request.headers.Find("Origin");
    if (origin.data() == nullptr || !Allows(origin)) return;
    response.headers.Set("Access-Control-Allow-Origin", any_ ? std::string_view("*") : origin);
    response.headers.Set("Access-Control-Expose-Headers", kExposed);
}

}  // namespace aim::http
