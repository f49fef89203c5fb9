#include "core/base/time_format.hpp"

#include <gtest/gtest.h>

#include "core/base/clock.hpp"
#include "tests/support/fake_clock.hpp"

namespace aim {
namespace {

using namespace std::chrono_literals;

WallTime At(std::int64_t micros) { return WallTime(std::chrono::microseconds(micros)); }

TEST(TimeFormat, WritesUtcWithMilliseconds) {
    EXPECT_EQ(FormatRfc3339(At(0)), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(FormatRfc3339(At(1795257045123999)), "2026-11-21T10:30:45.123Z");
    EXPECT_EQ(FormatRfc3339(At(951782400000000)), "2000-02-29T00:00:00.000Z");
    EXPECT_EQ(FormatRfc3339(At(-1)), "1969-12-31T23:59:59.999Z");
}

TEST(TimeFormat, ReadsOffsetsAndFractions) {
    const WallTime expected = At(1795257045123456);
    for (const char* text :
         {"2026-11-21T10:30:45.123456Z", "2026-11-21t10:30:45.123456z",
          "2026-11-21 10:30:45.123456Z", "2026-11-21T10:30:45.123456789+00:00",
          "2026-11-21T13:30:45.123456+03:00", "2026-11-21T05:00:45.123456-0530"}) {
        ASSERT_TRUE(ParseRfc3339(text).has_value()) << text;
        EXPECT_EQ(*ParseRfc3339(text), expected) << text;
    }
    EXPECT_EQ(*ParseRfc3339("2026-11-21T10:30:45Z"), At(1795257045000000));
    EXPECT_EQ(*ParseRfc3339("2026-11-21T10:30:45.5Z"), At(1795257045500000));
}

TEST(TimeFormat, RefusesEverythingElse) {
    for (const char* text :
         {"", "2026", "2026-11-21", "2026-11-21T10:30:45", "2026-11-21T10:30Z",
          "2026-13-21T10:30:45Z", "2026-02-30T10:30:45Z", "2026-11-21T24:00:00Z",
          "2026-11-21T10:60:00Z", "2026-11-21T10:30:61Z", "2026-11-21T10:30:45.Z",
          "2026-11-21T10:30:45.1234567890Z", "2026-11-21T10:30:45Zx", "2026-11-21T10:30:45+3",
          "2026-11-21T10:30:45+24:00", "x026-11-21T10:30:45Z", "26-11-21T10:30:45Z",
          " 2026-11-21T10:30:45Z"}) {
        EXPECT_FALSE(ParseRfc3339(text).has_value()) << text;
    }
}

TEST(TimeFormat, EveryCutOfAValidTextIsRefused) {
    const std::string_view text = "2026-11-21T10:30:45.123+03:00";
    for (std::size_t size = 0; size < text.size(); ++size) {
        // "+03" and "+03:" lack the minutes.
        EXPECT_FALSE(ParseRfc3339(text.substr(0, size)).has_value()) << text.substr(0, size);
    }
}

TEST(TimeFormat, ReadsBackWhatItWrites) {
    for (std::int64_t day = -40000; day < 40000; day += 37) {
        const WallTime time = At((day * 86400 + (day * 7919) % 86400) * 1000000 + 123000);
        EXPECT_EQ(ParseRfc3339(FormatRfc3339(time)), time) << FormatRfc3339(time);
    }
}

TEST(Clock, TheSystemsClocksMoveForwardAndAgreeWithTheCalendar) {
    const MonotonicTime before = SystemClock().Now();
    EXPECT_LE(before, SystemClock().Now());
    EXPECT_GT(SystemClock().WallNow(), *ParseRfc3339("2024-01-01T00:00:00Z"));
}

TEST(Clock, TheFakeOneMovesWhenTold) {
    testing::FakeClock clock;
    const MonotonicTime monotonic = clock.Now();
    EXPECT_EQ(FormatRfc3339(clock.WallNow()), "2026-11-21T10:30:45.123Z");
    clock.Advance(1500ms);
    EXPECT_EQ(clock.Now() - monotonic, 1500ms);
    EXPECT_EQ(FormatRfc3339(clock.WallNow()), "2026-11-21T10:30:46.623Z");
    clock.SetWall(At(0));
    EXPECT_EQ(clock.Now() - monotonic, 1500ms);
}

}  // namespace
}  // namespace aim
