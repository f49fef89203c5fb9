#include "core/base/uuid.hpp"

#include <algorithm>
#include <unordered_set>
#include <vector>

#include <gtest/gtest.h>

namespace aim {
namespace {

constexpr std::string_view kText = "550e8400-e29b-41d4-a716-446655440000";

TEST(Uuid, ReadsAndWritesTheUsualForm) {
    const auto id = Uuid::Parse(kText);
    ASSERT_TRUE(id.has_value());
    EXPECT_EQ(id->ToString(), kText);
    EXPECT_EQ(id->version(), 4);
    EXPECT_EQ(Uuid::Parse("550E8400-E29B-41D4-A716-446655440000"), id);
    EXPECT_EQ(id->bytes()[0], 0x55);
    EXPECT_EQ(id->bytes()[8], 0xa7);
}

TEST(Uuid, RefusesOtherForms) {
    for (const char* text :
         {"", "550e8400e29b41d4a716446655440000", "{550e8400-e29b-41d4-a716-446655440000}",
          "550e8400-e29b-41d4-a716-44665544000", "550e8400-e29b-41d4-a716-4466554400000",
          "550e8400-e29b-41d4-a716-44665544000g", "550e8400xe29b-41d4-a716-446655440000",
          "550e84000-e29-41d4-a716-446655440000"}) {
        EXPECT_FALSE(Uuid::Parse(text).has_value()) << text;
    }
    EXPECT_FALSE(Uuid::Parse(std::string(36, '-')).has_value());
}

TEST(Uuid, VersionSevenHoldsTheTimeInItsFirst48Bits) {
    const auto random = MakeSeededRandom(1);
    // The example of RFC 9562, appendix A.6: 2022-02-22T19:22:22.000Z.
    const Uuid id = Uuid::MakeV7(WallTime(std::chrono::milliseconds(0x017F22E279B0)), *random);
    EXPECT_EQ(id.ToString().substr(0, 15), "017f22e2-79b0-7");
    EXPECT_EQ(id.version(), 7);
    EXPECT_EQ(id.bytes()[8] & 0xc0, 0x80);
}

TEST(Uuid, VersionSevenSortsByMicrosecondAsBytesAndAsText) {
    const auto random = MakeSeededRandom(2);
    std::vector<Uuid> ids;
    for (int micros = 0; micros < 5000; ++micros) {
        ids.push_back(
            Uuid::MakeV7(WallTime(std::chrono::microseconds(1795257045123000 + micros)), *random));
    }
    EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
    EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end(), [](const Uuid& a, const Uuid& b) {
        return a.ToString() < b.ToString();
    }));
}

TEST(Uuid, VersionSevenOfOneInstantAreDifferent) {
    const auto random = MakeRandom();
    std::unordered_set<Uuid> ids;
    for (int i = 0; i < 10000; ++i)
        ids.insert(Uuid::MakeV7(WallTime(std::chrono::seconds(1795257045)), *random));
    EXPECT_EQ(ids.size(), 10000u);
}

TEST(Uuid, TheNilValueIsTheDefault) {
    EXPECT_TRUE(Uuid().IsNil());
    EXPECT_EQ(Uuid().ToString(), "00000000-0000-0000-0000-000000000000");
    EXPECT_FALSE(Uuid::Parse(kText)->IsNil());
}

}  // namespace
}  // namespace aim
