#include "core/http/middleware/rate_limit.hpp"

#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"

namespace aim::http {
namespace {

class RateLimit : public ::testing::Test {
  protected:
    RateLimit() { route_.policy.rate_limited = true; }

    // The status of one request, 200 when it passes; its headers in answer_.
    int Ask(RateLimitMiddleware& limit, std::string key, std::string address,
            std::optional<std::uint32_t> own_limit = std::nullopt) {
        Request request;
        request.target = "/x";
        request.key_id = std::move(key);
        request.client_address = std::move(address);
        request.key_rate_limit = own_limit;
        auto refused = limit.Before(request, &route_);
        answer_ = refused ? std::move(*refused) : Response{};
        limit.After(request, &route_, answer_);
        return answer_.status;
    }

    aim::testing::FakeClock clock_;
    Route route_{Method::kPost, "/x", {}, PlainHandler()};
    Response answer_;
};

TEST_F(RateLimit, TheLimitIsTheBurst) {
    RateLimitMiddleware limit({}, clock_);
    for (int i = 9; i >= 0; --i) {
        EXPECT_EQ(Ask(limit, "k", "1.1.1.1"), 200);
        EXPECT_EQ(answer_.headers.Find("RateLimit-Limit"), "10");
        EXPECT_EQ(answer_.headers.Find("RateLimit-Remaining"), std::to_string(i));
    }
    EXPECT_EQ(answer_.headers.Find("RateLimit-Reset"), "60");
    EXPECT_EQ(Ask(limit, "k", "1.1.1.1"), 429);
    EXPECT_EQ(answer_.headers.Find("RateLimit-Remaining"), "0");
    EXPECT_EQ(answer_.headers.Find("Retry-After"), "6");
    EXPECT_THAT(answer_.body, ::testing::HasSubstr("rate_limited"));
    EXPECT_EQ(limit.refused().Value(), 1u);
    clock_.Advance(std::chrono::seconds(6));
    EXPECT_EQ(Ask(limit, "k", "1.1.1.1"), 200);
    EXPECT_EQ(Ask(limit, "k", "1.1.1.1"), 429);
}

TEST_F(RateLimit, ClientsAreKeyAndAddress) {
    RateLimitMiddleware::Options options;
    options.per_minute = 1;
    RateLimitMiddleware limit(options, clock_);
    EXPECT_EQ(Ask(limit, "a", "1.1.1.1"), 200);
    EXPECT_EQ(Ask(limit, "a", "1.1.1.2"), 200);
    EXPECT_EQ(Ask(limit, "b", "1.1.1.1"), 200);
    EXPECT_EQ(Ask(limit, "a", "1.1.1.1"), 429);
    EXPECT_EQ(limit.clients(), 3u);
}

TEST_F(RateLimit, ZeroAndExemptKeysAndOtherRoutesHaveNone) {
    RateLimitMiddleware::Options off;
    off.per_minute = 0;
    RateLimitMiddleware none(off, clock_);
    RateLimitMiddleware::Options one;
    one.per_minute = 1;
    one.exempt_keys = {"bot"};
    RateLimitMiddleware limit(one, clock_);
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(Ask(none, "k", "1.1.1.1"), 200);
        EXPECT_FALSE(answer_.headers.Has("RateLimit-Limit"));
        EXPECT_EQ(Ask(limit, "bot", "1.1.1.1"), 200);
        EXPECT_FALSE(answer_.headers.Has("RateLimit-Limit"));
    }
    route_.policy.rate_limited = false;
    for (int i = 0; i < 5; ++i) EXPECT_EQ(Ask(limit, "k", "1.1.1.1"), 200);
}

TEST_F(RateLimit, TheTableOfClientsIsBounded) {
    RateLimitMiddleware::Options options;
    options.max_clients = 64;
    RateLimitMiddleware limit(options, clock_);
    for (int i = 0; i < 5000; ++i)
        Ask(limit, "k", "10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250));
    EXPECT_LE(limit.clients(), 64u);
}

TEST_F(RateLimit, AKeyWithALimitOfItsOwnHasItOnceForAllAddresses) {
    RateLimitMiddleware limit({}, clock_);
    EXPECT_EQ(Ask(limit, "k", "1.1.1.1", 2), 200);
    EXPECT_EQ(answer_.headers.Find("RateLimit-Limit"), "2");
    EXPECT_EQ(Ask(limit, "k", "2.2.2.2", 2), 200);
    EXPECT_EQ(Ask(limit, "k", "3.3.3.3", 2), 429);
    EXPECT_EQ(answer_.headers.Find("Retry-After"), "30");
    EXPECT_EQ(Ask(limit, "other", "1.1.1.1", 2), 200);
}

TEST_F(RateLimit, AKeysOwnLimitHoldsWithoutADefaultAndZeroMeansNone) {
    RateLimitMiddleware::Options off;
    off.per_minute = 0;
    RateLimitMiddleware none(off, clock_);
    EXPECT_EQ(Ask(none, "k", "1.1.1.1", 1), 200);
    EXPECT_EQ(Ask(none, "k", "1.1.1.1", 1), 429);
    RateLimitMiddleware::Options one;
    one.per_minute = 1;
    RateLimitMiddleware limit(one, clock_);
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(Ask(limit, "bot", "1.1.1.1", 0), 200);
        EXPECT_EQ(answer_.headers.Find("RateLimit-Limit"), "");
    }
}

TEST_F(RateLimit, ALimitThatIsLoweredHoldsAtOnce) {
    RateLimitMiddleware limit({}, clock_);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(Ask(limit, "k", "a", 100), 200);
    EXPECT_EQ(Ask(limit, "k", "a", 1), 429);
    EXPECT_EQ(answer_.headers.Find("RateLimit-Remaining"), "0");
    clock_.Advance(std::chrono::minutes(2));
    EXPECT_EQ(Ask(limit, "k", "a", 1), 200);
}

}  // namespace
}  // namespace aim::http
