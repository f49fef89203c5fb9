// The templates are plugins that work.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/plugin_driver/plugin_driver.hpp"

namespace aim::plugin_driver {
namespace {

using testing::ElementsAre;

constexpr char kRequest[] =
    R"({"model":"m","stream":false,"messages":[{"role":"user","content":"Hi"}]})";
constexpr char kStream[] =
    R"({"model":"m","stream":true,"messages":[{"role":"user","content":"Hi"}]})";

const Plugin& TemplateC() {
    static const Plugin plugin(AIM_TEMPLATE_C);
    return plugin;
}
const Plugin& TemplateCpp() {
    static const Plugin plugin(AIM_TEMPLATE_CPP);
    return plugin;
}

Answer Json(std::uint32_t status, std::string body) {
    return {status, {{"content-type", "application/json"}}, std::move(body), AIM_END_COMPLETE};
}

const std::string kWhole =
    R"({"choices":[{"index":0,"message":{"role":"assistant","content":"a\n\"b\" \u0041"},"finish_reason":"stop"}]})";

TEST(TemplateInC, SendsTheRequestAndReadsTheAnswer) {
    const Result result = RunChat(TemplateC(), kRequest, {Json(200, kWhole)});
    ASSERT_EQ(result.sent.size(), 1U);
    EXPECT_EQ(result.sent[0].method, "POST");
    EXPECT_EQ(result.sent[0].url, "https://api.example.com/v1/chat/completions");
    EXPECT_EQ(result.sent[0].body, kRequest);
    EXPECT_THAT(result.sent[0].headers,
                testing::Contains(testing::Pair("authorization", "Bearer {TEMPLATE_C_API_KEY}")));
    EXPECT_THAT(result.events, ElementsAre("text 0 \"a\\n\\\"b\\\" A\"", "finish 0 stop", "done"));
}

TEST(TemplateInC, FailsByTheRules) {
    EXPECT_THAT(RunChat(TemplateC(), kRequest, {Json(429, "")}).events,
                ElementsAre("error rate_limited status=429 \"the provider refused the request\"",
                            "failed"));
    EXPECT_THAT(RunChat(TemplateC(), kStream, {}).events,
                ElementsAre("error unsupported \"the template does not stream\"", "failed"));
    // However the answer is cut, it is a failure that follows the rules.
    for (std::size_t size = 0; size + 3 < kWhole.size(); ++size) {
        const Result result = RunChat(TemplateC(), kRequest, {Json(200, kWhole.substr(0, size))});
        for (const std::string& event : result.events) {
            ASSERT_NE(event.rfind("misbehaviour", 0), 0U) << event;
        }
        Answer cut = Json(200, kWhole.substr(0, size));
        cut.ending = AIM_END_TRUNCATED;
        ASSERT_EQ(RunChat(TemplateC(), kRequest, {cut}).events.back(), "failed");
    }
    for (const char* body : {R"({"content":"\)", R"({"content":"\u00)", R"("content":"x)", "{}"}) {
        EXPECT_EQ(RunChat(TemplateC(), kRequest, {Json(200, body)}).events.back(), "failed");
    }
}

TEST(TemplateInCpp, ReadsWholeAndStreamedAnswers) {
    EXPECT_THAT(RunChat(TemplateCpp(), kRequest, {Json(200, kWhole)}).events,
                ElementsAre("text 0 \"a\\n\\\"b\\\" A\"", "finish 0 stop", "done"));
    const Answer stream = {200,
                           {{"content-type", "text/event-stream"}},
                           "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"
                           "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n"
                           "data: [DONE]\n\n",
                           AIM_END_COMPLETE};
    for (const Splitter& splitter : {Whole(), ByteByByte(), Randomly(5)}) {
        Options options;
        options.splitter = splitter;
        EXPECT_THAT(RunChat(TemplateCpp(), kStream, {stream}, options).events,
                    ElementsAre("text 0 \"a\"", "finish 0 length", "done"));
    }
}

TEST(TemplateInCpp, FailsByTheRules) {
    EXPECT_EQ(RunChat(TemplateCpp(), kRequest, {Json(500, "x")}).events.back(), "failed");
    EXPECT_EQ(RunChat(TemplateCpp(), kRequest, {Json(200, "x")}).events.back(), "failed");
    EXPECT_EQ(RunChat(TemplateCpp(), kRequest, {Json(200, "{}")}).events.back(), "failed");
}

TEST(Templates, PassTheRetryHintOn) {
    for (const Plugin* plugin : {&TemplateC(), &TemplateCpp()}) {
        Answer limited = Json(429, "");
        limited.headers.emplace_back("retry-after", "7");
        EXPECT_THAT(RunChat(*plugin, kRequest, {limited}).events,
                    ElementsAre("error rate_limited status=429 retry_after_ms=7000 \"the provider "
                                "refused the request\"",
                                "failed"));
        limited.headers.back().second = "Sat, 21 Nov 2026 04:33:30 GMT";
        EXPECT_THAT(
            RunChat(*plugin, kRequest, {limited}).events,
            ElementsAre("error rate_limited status=429 \"the provider refused the request\"",
                        "failed"));
    }
}

}  // namespace
}  // namespace aim::plugin_driver
