#include <gtest/gtest.h>

#include "core/dialect/openai_chat.hpp"
#include "core/json/json.hpp"

namespace aim::dialect {
namespace {

const CompletionIdentity kIdentity{"chatcmpl-1", 1790000000, "m"};

TEST(WriteChatCompletion, IsOpenAisObject) {
    completion::ChatResponse response;
    response.choices.emplace_back().text = "Hi";
    response.choices[0].finish = completion::FinishReason::kStop;
    response.usage.prompt_tokens = 3;
    response.usage.completion_tokens = 1;
    response.usage.total_tokens = 4;
    EXPECT_EQ(
        WriteChatCompletion(response, kIdentity),
        R"({"id":"chatcmpl-1","object":"chat.completion","created":1790000000,"model":"m","choices":[{"index":0,)"
        R"("message":{"role":"assistant","content":"Hi","refusal":null},"logprobs":null,"finish_reason":"stop"}],)"
        R"("usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}})");
}

TEST(WriteChatCompletion, ToolCallsHaveNullContentAndStringArguments) {
    completion::ChatResponse response;
    auto& choice = response.choices.emplace_back();
    choice.finish = completion::FinishReason::kToolCalls;
    choice.tool_calls.push_back({"call_1", "f", "{\"a\":1}", {{"extra_content", "{\"k\":2}"}}});
    const auto document = json::Parse(WriteChatCompletion(response, kIdentity));
    ASSERT_TRUE(document);
    const json::Value message = document->root().Get("choices").At(0).Get("message");
    EXPECT_TRUE(message.Get("content").IsNull());
    const json::Value call = message.Get("tool_calls").At(0);
    EXPECT_EQ(call.Get("type").AsString(), "function");
    EXPECT_EQ(call.Get("function").Get("arguments").AsString(), "{\"a\":1}");
    EXPECT_EQ(call.Get("extra_content").Get("k").AsInt64(), 2);
    EXPECT_FALSE(document->root().Get("usage").exists());
}

TEST(WriteChatCompletion, PassesExtrasOn) {
    completion::ChatResponse response;
    auto& choice = response.choices.emplace_back();
    choice.reasoning = "because";
    choice.choice_extras.push_back({"logprobs", "{\"content\":[]}"});
    choice.message_extras.push_back({"annotations", "[]"});
    response.extras.push_back({"service_tier", "\"default\""});
    response.extras.push_back({"id", "\"theirs\""});
    const auto document = json::Parse(WriteChatCompletion(response, kIdentity));
    ASSERT_TRUE(document);
    const json::Value root = document->root();
    EXPECT_EQ(root.Get("id").AsString(), "chatcmpl-1");
    EXPECT_EQ(root.Get("service_tier").AsString(), "default");
    EXPECT_TRUE(root.Get("choices").At(0).Get("logprobs").IsObject());
    EXPECT_EQ(root.Get("choices").At(0).Get("message").Get("reasoning_content").AsString(),
              "because");
    EXPECT_TRUE(root.Get("choices").At(0).Get("message").Get("annotations").IsArray());
}

TEST(AppendUsage, AnOpenAiShapedObjectIsPassedOnWhole) {
    completion::Usage usage;
    usage.prompt_tokens = 1;
    usage.completion_tokens = 2;
    usage.total_tokens = 3;
    usage.json = R"({"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"queue_time":0.1})";
    std::string out;
    AppendUsage(usage, out);
    EXPECT_EQ(out, usage.json);
    usage.json = R"({"input_tokens":1})";
    usage.reasoning_tokens = 1;
    out.clear();
    AppendUsage(usage, out);
    EXPECT_EQ(
        out,
        R"({"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"completion_tokens_details":{"reasoning_tokens":1}})");
}

}  // namespace
}  // namespace aim::dialect
