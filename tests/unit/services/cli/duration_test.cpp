#include "services/cli/duration.hpp"

#include <gtest/gtest.h>

namespace aim::cli {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(Duration, HasAUnit) {
    EXPECT_EQ(ParseDuration("0"), milliseconds(0));
    EXPECT_EQ(ParseDuration("500ms"), milliseconds(500));
    EXPECT_EQ(ParseDuration("90s"), milliseconds(90'000));
    EXPECT_EQ(ParseDuration("15m"), milliseconds(900'000));
    EXPECT_EQ(ParseDuration("24h"), hours(24));
    EXPECT_EQ(ParseDuration("30d"), hours(720));
}

TEST(Duration, AnythingElseIsNone) {
    for (const char* text : {"", "h", "1", "-1h", "1.5h", "1w", "1 h", "1hh", "99999999999s",
                             "4294967295d", "1y", " 1h"})
        EXPECT_FALSE(ParseDuration(text)) << text;
}

}  // namespace
}  // namespace aim::cli
