#include "core/http/middleware/request_id.hpp"

#include <algorithm>
#include <array>

#include "core/base/random.hpp"
#include "core/base/uuid.hpp"

namespace aim::http {
namespace {

constexpr std::string_view kHeader = "X-Request-Id";

// SplitMix64 over a counter that all loops share: each takes a number of its own without a lock.
class SharedRandom final : public Random {
  public:
    explicit SharedRandom(std::atomic<std::uint64_t>& state) : state_(state) {}
    std::uint64_t Next() override {
        std::uint64_t z = state_.fetch_add(0x9e3779b97f4a7c15ULL, std::memory_order_relaxed);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }

  private:
    std::atomic<std::uint64_t>& state_;
};

}  // namespace

bool IsValidRequestId(std::string_view id) {
    return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '.' || c == '_' || c == '-';
    });
}

RequestIdMiddleware::RequestIdMiddleware(const Clock& clock)
    : clock_(clock), state_(MakeRandom()->Next()) {}

std::optional<Response> RequestIdMiddleware::Before(Request& request, const Route*) {
    const std::string_view own = request.headers.Find(kHeader);
    if (IsValidRequestId(own)) {
        request.request_id.assign(own);
    } else {
        SharedRandom random(state_);
        const std::array<char, 36> id = Uuid::MakeV7(clock_.WallNow(), random).Chars();
        request.request_id.assign(id.data(), id.size());
    }
    return std::nullopt;
}

void RequestIdMiddleware::Refused(Request& request) { Before(request, nullptr); }

void RequestIdMiddleware::After(const Request& request, const Route*, Response& response) {
    response.headers.Set(kHeader, request.request_id);
}

}  // namespace aim::http
