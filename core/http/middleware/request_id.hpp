#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "core/base/clock.hpp"
#include "core/http/middleware.hpp"

namespace aim::http {

// Gives every request an id and sends it back as X-Request-Id: the caller's own when that is 1 to
// 128 characters of [A-Za-z0-9._-], else a UUID of version 7. Thread-safe.
class RequestIdMiddleware final : public Middleware {
  public:
    explicit RequestIdMiddleware(const Clock& clock = SystemClock());

    std::optional<Response> Before(Request& request, const Route* route) override;
    void Refused(Request& request) override;
    void After(const Request& request, const Route* route, Response& response) override;

  private:
    const Clock& clock_;
    std::atomic<std::uint64_t> state_;  // of the random numbers, shared by all loops
};

bool IsValidRequestId(std::string_view id);

}  // namespace aim::http
