#include "core/routing/candidate.hpp"

#include <gtest/gtest.h>

namespace aim::routing {
namespace {

TEST(CapabilityBits, AbsentMeansAll) {
    EXPECT_EQ(CapabilityBits(std::nullopt), ~0u);
    EXPECT_EQ(CapabilityBits(std::vector<std::string>{}), 0u);
    EXPECT_EQ(CapabilityBits(std::vector<std::string>{"tools", "unknown", "stream"}),
              kTools | kStream);
}

TEST(NeededCapabilities, FollowTheRequest) {
    completion::ChatRequest request;
    EXPECT_EQ(NeededCapabilities(request), 0u);
    request.stream = true;
    request.has_tool_turns = true;
    request.has_parts = true;
    request.has_json_schema = true;
    EXPECT_EQ(NeededCapabilities(request), kStream | kTools | kVision | kJsonSchema);
    EXPECT_EQ(CapabilityField(kTools | kVision), "tools");
}

}  // namespace
}  // namespace aim::routing
