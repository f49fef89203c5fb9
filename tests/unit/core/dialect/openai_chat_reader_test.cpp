#include <gtest/gtest.h>

#include "core/dialect/openai_chat.hpp"

namespace aim::dialect {
namespace {

TEST(ReadChatCompletion, KeepsForeignMembersAndTakesItsOwnOut) {
    const auto request = ReadChatCompletion(
        R"({"model":"auto","messages":[{"role":"user","content":"Hi"}],"fallback":false,"user_id":"u","username":"n","user":"other",
            "stream":true,"stream_options":{"include_usage":true},"vendor_field": {"a" : 1}})");
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_EQ(request->model, "");
    EXPECT_TRUE(request->stream);
    EXPECT_TRUE(request->include_usage);
    EXPECT_FALSE(request->fallback);
    EXPECT_EQ(request->user_id, "u");
    EXPECT_EQ(
        request->members,
        R"("messages":[{"role":"user","content":"Hi"}],"user":"other","vendor_field": {"a" : 1})");
}

TEST(ReadChatCompletion, AnEscapedKeyIsTheSameKey) {
    const auto request =
        ReadChatCompletion(R"({"mod\u0065l":"m","messages":[{"role":"user","content":"Hi"}]})");
    ASSERT_TRUE(request);
    EXPECT_EQ(request->model, "m");
    EXPECT_EQ(request->members, R"("messages":[{"role":"user","content":"Hi"}])");
}

TEST(ReadChatCompletion, UserStandsInForTheUserId) {
    const auto request =
        ReadChatCompletion(R"({"messages":[{"role":"user","content":"Hi"}],"user":"telegram_9"})");
    ASSERT_TRUE(request);
    EXPECT_EQ(request->user_id, "telegram_9");
    EXPECT_EQ(request->user_telegram_id, 9);
}

TEST(ReadChatCompletion, SeesWhatTheRequestNeeds) {
    const auto request = ReadChatCompletion(
        R"({"messages":[{"role":"developer","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
             {"role":"user","content":[{"type":"text","text":"see"},{"type":"image_url","image_url":{"url":"data:,"}}]},
             {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},
             {"role":"tool","tool_call_id":"c","content":"7"}],
            "tools":[{"type":"function"}],"response_format":{"type":"json_schema"},"max_tokens":5,"max_completion_tokens":9})");
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_TRUE(request->has_tools);
    EXPECT_TRUE(request->has_parts);
    EXPECT_TRUE(request->has_tool_turns);
    EXPECT_TRUE(request->has_json_schema);
    EXPECT_EQ(request->max_tokens, 9);
    ASSERT_EQ(request->messages.size(), 4u);
    EXPECT_EQ(request->messages[0].text, "ab");
    EXPECT_EQ(request->messages[0].role, completion::Role::kDeveloper);
    EXPECT_FALSE(request->messages[0].has_parts);
    EXPECT_EQ(request->messages[3].tool_call_id, "c");
    EXPECT_EQ(request->PromptText(), "see");
}

struct ChatRefusal {
    const char* body;
    const char* field;
};

class ReadChatCompletionRefuses : public testing::TestWithParam<ChatRefusal> {};

TEST_P(ReadChatCompletionRefuses, NamingTheField) {
    const auto request = ReadChatCompletion(GetParam().body);
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().code, "invalid_request");
    EXPECT_EQ(request.error().field, GetParam().field);
}

INSTANTIATE_TEST_SUITE_P(
    BadInput, ReadChatCompletionRefuses,
    testing::Values(
        ChatRefusal{R"("x")", ""}, ChatRefusal{R"({})", "messages"},
        ChatRefusal{R"({"messages":[]})", "messages"},
        ChatRefusal{R"({"messages":{}})", "messages"},
        ChatRefusal{R"({"messages":["x"]})", "messages[0].role"},
        ChatRefusal{R"({"messages":[{"role":"wizard","content":"x"}]})", "messages[0].role"},
        ChatRefusal{R"({"messages":[{"role":"user","content":7}]})", "messages[0].content"},
        ChatRefusal{R"({"messages":[{"role":"user","content":"x"}],"model":7})", "model"},
        ChatRefusal{R"({"messages":[{"role":"user","content":"x"}],"stream":"yes"})", "stream"},
        ChatRefusal{R"({"messages":[{"role":"user","content":"x"}],"tools":{}})", "tools"},
        ChatRefusal{R"({"messages":[{"role":"user","content":"x"}],"n":0})", "n"},
        ChatRefusal{R"({"messages":[{"role":"user","content":"x"}],"temperature":"hot"})",
                    "temperature"}));

}  // namespace
}  // namespace aim::dialect
