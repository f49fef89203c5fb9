// The templates are plugins that work, and the guide shows their code as it is.
#include <fstream>
#include <sstream>
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

std::string Read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

// Every line of C and C++ in the guide stands so in a template.
TEST(Guide, ShowsTheTemplatesCode) {
    const std::string root = AIM_SOURCE_DIR;
    const std::string guide = Read(root + "/abi/docs/plugin_guide.md");
    const std::string c = Read(root + "/abi/template/c/plugin.c");
    const std::string cpp = Read(root + "/abi/template/cpp/plugin.cpp");
    std::size_t blocks = 0;
    std::size_t at = 0;
    while ((at = guide.find("```c", at)) != guide.npos) {
        const std::size_t start = guide.find('\n', at) + 1;
        const std::size_t end = guide.find("\n```", start);
        ASSERT_NE(end, guide.npos);
        const std::string block = guide.substr(start, end - start);
        const std::string& source = guide.compare(at, 6, "```cpp") == 0 ? cpp : c;
        EXPECT_NE(source.find(block), source.npos) << block;
        ++blocks;
        at = end + 4;
    }
    EXPECT_GE(blocks, 3U);
}

}  // namespace
}  // namespace aim::plugin_driver
