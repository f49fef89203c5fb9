#include "core/telemetry/json_line.hpp"

#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/utf8.hpp"

namespace aim::telemetry {
namespace {

constexpr WallTime kNow{std::chrono::microseconds(1795257045123000)};

std::string Line(std::string_view event, std::string_view message, const std::vector<Field>& fields,
                 WallTime now = kNow) {
    std::string out;
    AppendJsonLine(now, "aimanager_business_api", Level::kInfo, event, message, fields, out);
    return out;
}

TEST(JsonLine, LooksAsTheContractShowsIt) {
    EXPECT_EQ(
        Line("prompt_processed", "Prompt processed successfully",
             {{"user_id", "telegram_123456"},
              {"request_id", "550e8400-e29b-41d4-a716-446655440000"},
              {"processing_time_ms", 1234}}),
        R"({"timestamp":"2026-11-21T10:30:45.123Z","level":"INFO","service":"aimanager_business_api",)"
        R"("request_id":"550e8400-e29b-41d4-a716-446655440000","event":"prompt_processed",)"
        R"("message":"Prompt processed successfully","user_id":"telegram_123456","processing_time_ms":1234})");
}

TEST(JsonLine, WithoutARequestItsIdIsNull) {
    EXPECT_NE(Line("started", "Started", {}).find(R"("request_id":null,"event":"started")"),
              std::string::npos);
}

TEST(JsonLine, TheTimestampFollowsTheClockInBothDirections) {
    using namespace std::chrono_literals;
    for (const auto& [offset, text] :
         std::vector<std::pair<std::chrono::milliseconds, std::string>>{
             {0ms, "2026-11-21T10:30:45.123Z"},
             {5ms, "2026-11-21T10:30:45.128Z"},
             {877ms, "2026-11-21T10:30:46.000Z"},
             {-124ms, "2026-11-21T10:30:44.999Z"},
             {24h, "2026-11-22T10:30:45.123Z"}}) {
        EXPECT_TRUE(
            Line("e", "m", {}, kNow + offset).starts_with("{\"timestamp\":\"" + text + "\""))
            << text;
    }
}

TEST(JsonLine, HostileTextStaysOneValidLine) {
    const std::string line = Line("e", "quote \" slash \\ line\nfeed \x01 broken \xFF\xD0",
                                  {{"key\n\"", std::string_view("\0\r\t", 3)},
                                   {"nan", std::numeric_limits<double>::quiet_NaN()},
                                   {"big", std::numeric_limits<std::uint64_t>::max()},
                                   {"half", 0.5},
                                   {"no", false}});
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_TRUE(IsValidUtf8(line));
    EXPECT_NE(line.find(R"("message":"quote \" slash \\ line\nfeed \u0001 broken )"
                        "\xEF\xBF\xBD\xEF\xBF\xBD\""),
              std::string::npos)
        << line;
    EXPECT_NE(line.find(R"("key\n\"":"\u0000\r\t")"), std::string::npos) << line;
    EXPECT_NE(line.find(R"("nan":null,"big":18446744073709551615,"half":0.5,"no":false})"),
              std::string::npos)
        << line;
}

}  // namespace
}  // namespace aim::telemetry
