#include "core/probe/probe_policy.hpp"

#include <gtest/gtest.h>

namespace aim::probe {
namespace {

TEST(ProbePolicy, IsOnAndCappedByItself) {
    for (const char* settings : {"", "{}", R"({"latency_ms":5})", "no json", "[1]"}) {
        const ProbePolicy policy = ProbePolicy::Read(settings);
        EXPECT_TRUE(policy.enabled) << settings;
        EXPECT_EQ(policy.max_tokens, 16) << settings;
    }
}

TEST(ProbePolicy, TheRowSwitchesItOff) {
    EXPECT_FALSE(ProbePolicy::Read(R"({"health_check":false})").enabled);
    EXPECT_TRUE(ProbePolicy::Read(R"({"health_check":true})").enabled);
    EXPECT_TRUE(ProbePolicy::Read(R"({"health_check":null})").enabled);
    // What is no flag switches nothing off.
    EXPECT_TRUE(ProbePolicy::Read(R"({"health_check":0})").enabled);
}

TEST(ProbePolicy, TheRowSaysHowManyTokensWithinTheBounds) {
    const auto tokens = [](const char* value) {
        return ProbePolicy::Read(R"({"health_check_max_tokens":)" + std::string(value) + "}")
            .max_tokens;
    };
    EXPECT_EQ(tokens("1"), 1);
    EXPECT_EQ(tokens("300"), 300);
    EXPECT_EQ(tokens("9000000000"), ProbePolicy::kMostTokens);
    for (const char* bad : {"0", "-5", "\"7\"", "null", "1.5", "1e300"})
        EXPECT_EQ(tokens(bad), ProbePolicy::kMaxTokens) << bad;
}

}  // namespace
}  // namespace aim::probe
