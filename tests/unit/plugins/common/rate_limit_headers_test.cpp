#include "plugins/common/rate_limit_headers.hpp"

#include <optional>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

namespace aim::openai {
namespace {

constexpr std::uint64_t kNow = 1'790'000'000'000;  // 2026-09-21T14:13:20Z

TEST(ParseRetryDelay, KnowsEveryForm) {
    const std::pair<std::string_view, std::optional<std::int64_t>> cases[] = {
        {"20", 20'000},
        {" 2.5 ", 2'500},
        {"0", 0},
        {"33011.382867", 33'011'383},
        {"6m0s", 360'000},
        {"1s", 1'000},
        {"120ms", 120},
        {"7.66s", 7'660},
        {"2m59.56s", 179'560},
        {"1h2m3s", 3'723'000},
        {"34.4s", 34'400},
        {"2026-09-21T14:13:25Z", 5'000},
        {"2026-09-21T14:13:25.250Z", 5'250},
        {"2026-09-21T16:13:25+02:00", 5'000},
        {"2026-09-21T14:13:00Z", 0},
        {"Mon, 21 Sep 2026 14:13:50 GMT", 30'000},
        {"Mon, 21 Sep 2020 14:13:50 GMT", 0},
        {"1790000007000", 7'000},
        {"1790000007", 7'000},
        {"1000000000", kMaxRetryAfterMs},
        {"999999h", kMaxRetryAfterMs},
        {"99999999999999999999999999999", kMaxRetryAfterMs},
        {"-5", std::nullopt},
        {"", std::nullopt},
        {"NaN", std::nullopt},
        {"inf", std::nullopt},
        {"1e9", std::nullopt},
        {"0x10", std::nullopt},
        {"soon", std::nullopt},
        {"5 apples", std::nullopt},
        {"5x", std::nullopt},
        {"2026-13-21T14:13:25Z", std::nullopt},
        {"2026-09-21", std::nullopt},
        {"Mon, 21 Xep 2026 14:13:50 GMT", std::nullopt},
        {"1.2.3", std::nullopt},
    };
    for (const auto& [text, expected] : cases) {
        EXPECT_EQ(ParseRetryDelay(text, kNow), expected) << text;
    }
}

TEST(RetryDelayInSentence, FindsTheTime) {
    const std::pair<std::string_view, std::optional<std::int64_t>> cases[] = {
        {"Limit reached. Please try again in 1.2s. Visit …", 1'200},
        {"Please Try Again In 6m0s", 360'000},
        {"Please try again in 220ms.", 220},
        {"please retry in 7 seconds", 7'000},
        {"Try again in 2 minutes.", 120'000},
        {"try again in 1 hour", 3'600'000},
        {"Expected available in 1 second.", 1'000},
        {"Please retry in 18.63s.", 18'630},
        {"Try again in a moment", std::nullopt},
        {"Try again in ", std::nullopt},
        {"", std::nullopt},
    };
    for (const auto& [text, expected] : cases) {
        EXPECT_EQ(RetryDelayInSentence(text), expected) << text;
    }
}

using Header = std::pair<std::string_view, std::string_view>;

struct FakeHead {
    template <std::size_t kSize>
    explicit FakeHead(const Header (&given)[kSize]) : headers(given), count(kSize) {
        raw.struct_size = sizeof(raw);
        raw.status = 429;
        raw.header_count = static_cast<std::uint32_t>(kSize);
        raw.impl = this;
        raw.header = [](const aim_http_head* head, std::uint32_t i, aim_str* name,
                        aim_str* value) -> std::int32_t {
            const auto& self = *static_cast<const FakeHead*>(head->impl);
            *name = sdk::Str(self.headers[i].first);
            *value = sdk::Str(self.headers[i].second);
            return AIM_OK;
        };
        raw.find = [](const aim_http_head* head, aim_str name, aim_str* value) -> std::int32_t {
            const auto& self = *static_cast<const FakeHead*>(head->impl);
            for (std::size_t i = 0; i < self.count; ++i) {
                if (self.headers[i].first == sdk::View(name)) {
                    *value = sdk::Str(self.headers[i].second);
                    return AIM_OK;
                }
            }
            return AIM_FAILED;
        };
    }
    RateLimitHints Read() const { return ReadRateLimitHeaders(sdk::HttpHead(&raw), kNow); }

    const Header* headers;
    std::size_t count;
    aim_http_head raw{};
};

TEST(ReadRateLimitHeaders, TakesTheLimitThatIsUsedUp) {
    const Header headers[] = {{"x-ratelimit-remaining-requests", "0"},
                              {"x-ratelimit-reset-requests", "2h"},
                              {"x-ratelimit-remaining-tokens", "0"},
                              {"x-ratelimit-reset-tokens", "5s"}};
    const FakeHead both(headers);
    EXPECT_EQ(both.Read().reset_ms, 7'200'000);
    const Header one[] = {{"x-ratelimit-remaining-requests", "14"},
                          {"x-ratelimit-reset-requests", "2h"},
                          {"x-ratelimit-remaining-tokens", "0"},
                          {"x-ratelimit-reset-tokens", "5s"}};
    EXPECT_EQ(FakeHead(one).Read().reset_ms, 5'000);
    const Header none[] = {{"x-ratelimit-remaining-requests", "14"},
                           {"x-ratelimit-reset-requests", "2h"}};
    EXPECT_EQ(FakeHead(none).Read().reset_ms, std::nullopt);
}

TEST(ReadRateLimitHeaders, WithoutRemainingTakesTheShortest) {
    const Header headers[] = {{"x-ratelimit-reset-requests", "2h"},
                              {"anthropic-ratelimit-tokens-reset", "2026-09-21T14:13:25Z"},
                              {"x-ratelimit-reset", "1790000060000"}};
    EXPECT_EQ(FakeHead(headers).Read().reset_ms, 5'000);
}

TEST(ReadRateLimitHeaders, PrefersTheExactHeader) {
    const Header headers[] = {{"retry-after", "1"}, {"retry-after-ms", "350"}};
    EXPECT_EQ(FakeHead(headers).Read().retry_after_ms, 350);
    const Header broken[] = {{"retry-after", "1"}, {"retry-after-ms", "soon"}};
    EXPECT_EQ(FakeHead(broken).Read().retry_after_ms, 1'000);
    const Header nothing[] = {{"server", "x"}};
    EXPECT_EQ(FakeHead(nothing).Read().retry_after_ms, std::nullopt);
}

}  // namespace
}  // namespace aim::openai
