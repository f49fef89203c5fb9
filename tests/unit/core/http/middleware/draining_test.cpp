#include "core/http/middleware/draining.hpp"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"

namespace aim::http {
namespace {

using std::chrono::seconds;

TEST(DrainingTest, RefusesFromTheGivenTimeOn) {
    testing::FakeClock clock;
    DrainGate gate;
    DrainingMiddleware draining(gate, clock);
    Request request;
    request.target = "/api/v1/prompts";
    request.request_id = "r-1";
    Route prompts;
    EXPECT_FALSE(draining.Before(request, &prompts).has_value());
    gate.CloseAt(clock.Now() + seconds(5));
    EXPECT_FALSE(draining.Before(request, &prompts).has_value());
    clock.Advance(seconds(5));
    const auto refused = draining.Before(request, &prompts);
    ASSERT_TRUE(refused.has_value());
    EXPECT_EQ(refused->status, 503);
    EXPECT_EQ(refused->headers.Find("Retry-After"), "1");
    EXPECT_NE(refused->body.find("\"draining\""), std::string::npos) << refused->body;
    EXPECT_NE(refused->body.find("r-1"), std::string::npos) << refused->body;
}

TEST(DrainingTest, ServesOpenRoutesAllTheTime) {
    testing::FakeClock clock;
    DrainGate gate;
    gate.CloseAt(clock.Now());
    DrainingMiddleware draining(gate, clock);
    Request request;
    Route health;
    health.policy.open = true;
    EXPECT_FALSE(draining.Before(request, &health).has_value());
    EXPECT_TRUE(draining.Before(request, nullptr).has_value());
}

TEST(DrainingTest, SpeaksTheProtocolOfThePath) {
    testing::FakeClock clock;
    DrainGate gate;
    gate.CloseAt(clock.Now());
    DrainingMiddleware draining(gate, clock);
    Request request;
    request.target = "/v1/chat/completions";
    Route chat;
    chat.policy.protocol = Protocol::kOpenAi;
    const auto refused = draining.Before(request, &chat);
    ASSERT_TRUE(refused.has_value());
    EXPECT_NE(refused->body.find("\"code\":\"draining\""), std::string::npos) << refused->body;
}

}  // namespace
}  // namespace aim::http
