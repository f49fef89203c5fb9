#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_provider/accent.hpp"
#include "tests/support/fake_provider/chat_dialect.hpp"

namespace aim::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Path(std::string_view name) {
    return "/as/" + std::string(name) + "/v1/chat/completions";
}

std::string Refusal(std::string_view name, std::string_view body) {
    ChatRequest request;
    request.accent = AccentOfPath(Path(name));
    std::string error;
    EXPECT_TRUE(ReadChatRequest(body, &request, &error)) << error;
    return request.refused;
}

ChatRequest Request(std::string_view name) {
    ChatRequest request;
    request.accent = AccentOfPath(Path(name));
    request.model = "m";
    request.last_user_text = "hi";
    return request;
}

TEST(Accent, IsChosenByThePath) {
    for (const char* name : {"openai", "cerebras", "sambanova", "huggingface", "deepseek",
                             "together", "openrouter", "mistral", "xai", "openai_compatible"}) {
        ASSERT_NE(AccentOfPath(Path(name)), nullptr) << name;
        EXPECT_EQ(AccentOfPath(Path(name))->name, name);
    }
    EXPECT_EQ(AccentOfPath("/openai/v1/chat/completions"), nullptr);
    EXPECT_EQ(AccentOfPath("/as/nobody/v1/chat/completions"), nullptr);
    EXPECT_EQ(AccentOfPath("/as/"), nullptr);
}

TEST(Accent, RefusesWhatThatProviderDoesNotTake) {
    const auto with = [](std::string_view member) {
        return R"({"model":"m","messages":[{"role":"user","content":"hi"}],)" +
               std::string(member) + "}";
    };
    EXPECT_THAT(Refusal("mistral", with(R"("stream_options":{})")), HasSubstr("stream_options"));
    EXPECT_EQ(Refusal("mistral", with(R"("random_seed":1)")), "");
    EXPECT_THAT(Refusal("openai", with(R"("max_tokens":1)")), HasSubstr("max_tokens"));
    EXPECT_EQ(Refusal("openai", with(R"("max_completion_tokens":1)")), "");
    EXPECT_THAT(Refusal("deepseek", with(R"("seed":1)")), HasSubstr("seed"));
    EXPECT_THAT(Refusal("cerebras", with(R"("logit_bias":{})")), HasSubstr("logit_bias"));
}

TEST(Accent, LooksIntoMessages) {
    const auto with = [](std::string_view message) {
        return R"({"model":"m","messages":[)" + std::string(message) + "]}";
    };
    EXPECT_NE(Refusal("xai", with(R"({"role":"developer","content":"x"})")), "");
    EXPECT_EQ(Refusal("openai", with(R"({"role":"developer","content":"x"})")), "");
    EXPECT_NE(Refusal("mistral", with(R"({"role":"user","name":"n","content":"x"})")), "");
    const std::string url = with(
        R"({"role":"user","content":[{"type":"image_url","image_url":{"url":"https://e.com/a"}}]})");
    EXPECT_NE(Refusal("sambanova", url), "");
    EXPECT_EQ(Refusal("together", url), "");
    const std::string data = with(
        R"({"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,aGk="}}]})");
    EXPECT_EQ(Refusal("sambanova", data), "");
}

TEST(Accent, SpeaksAsThatProvider) {
    ScriptStep step;
    step.text = "Hi";
    step.prompt_tokens = 12;
    step.completion_tokens = 9;
    step.reasoning_tokens = 5;
    step.tool_calls = {{"id1", "f", "{}"}};
    const auto last = CompletionChunks(step, Request("mistral"));
    EXPECT_THAT(last.back().json, HasSubstr("\"tool_calls\":[{\"id\":\"id1\""));
    EXPECT_THAT(last.back().json, Not(HasSubstr("\"index\":0}]")));
    EXPECT_THAT(last.back().json, HasSubstr("\"usage\":{\"prompt_tokens\":12"));
    const auto xai = CompletionChunks(step, Request("xai"));
    EXPECT_THAT(xai.front().json, Not(HasSubstr("finish_reason")));
    EXPECT_THAT(xai.back().json, HasSubstr("\"choices\":[]"));
    EXPECT_THAT(xai.back().json, HasSubstr("\"completion_tokens\":4,\"total_tokens\":21"));
    EXPECT_THAT(CompletionBody(step, Request("sambanova")), HasSubstr("1790000000.25"));
    EXPECT_THAT(CompletionBody(step, Request("openrouter")), Not(HasSubstr("x_groq")));
}

}  // namespace
}  // namespace aim::testing
