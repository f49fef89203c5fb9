// A host that was compiled with the golden headers, and knows nothing that came later, runs today's
// plugins.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/plugin_driver/plugin_driver.hpp"

namespace aim::plugin_driver {
namespace {

using testing::ElementsAre;

constexpr char kRequest[] =
    R"({"model":"m","stream":false,"messages":[{"role":"user","content":"Hi"}]})";

const Answer kAnswer = {
    200,
    {{"content-type", "application/json"}},
    R"({"choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]})",
    AIM_END_COMPLETE};

TEST(GoldenHost, RunsTodaysTemplates) {
    for (const char* path : {AIM_TEMPLATE_C, AIM_TEMPLATE_CPP}) {
        const Plugin plugin(path);
        EXPECT_LE(plugin.Entry().abi_minor_required, AIM_ABI_MINOR) << path;
        EXPECT_THAT(RunChat(plugin, kRequest, {kAnswer}).events,
                    ElementsAre("text 0 \"Hello\"", "finish 0 stop", "done"))
            << path;
    }
}

TEST(GoldenHost, RunsTodaysProviders) {
    const Plugin groq(AIM_GROQ_PLUGIN);
    EXPECT_EQ(RunChat(groq, kRequest, {kAnswer}).text, "Hello");
    const Plugin mock(AIM_MOCK_PLUGIN);
    Options options;
    options.row_settings = R"({"answer_text":"Hello"})";
    const Result result = RunChat(mock, kRequest, {}, options);
    EXPECT_EQ(result.text, "Hello");
    EXPECT_EQ(result.events.back(), "done");
}

}  // namespace
}  // namespace aim::plugin_driver
