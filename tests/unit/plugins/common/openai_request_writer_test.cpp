#include "plugins/common/openai_request_writer.hpp"

#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "plugins/common/openai_message_writer.hpp"

namespace aim::openai {
namespace {

std::string Written(std::string_view canonical, const RequestPolicy& policy) {
    std::string body;
    Refusal refusal;
    return WriteRequest(canonical, policy, body, refusal) ? body : "refused " + refusal.field;
}

TEST(WriteRequest, CopiesWhatNeedsNoChange) {
    const std::string_view canonical =
        R"({"model":"m","stream":true,"messages":[ {"role":"user","content":"a\u00e9\/"} ],"temperature":1.0e-1,"x":[null,{"y":12345678901234567890}]})";
    EXPECT_EQ(Written(canonical, {}), canonical);
    EXPECT_EQ(Written("{}", {}), "{}");
}

TEST(WriteRequest, RenamesTheTokenLimit) {
    RequestPolicy newer;
    newer.token_limit = TokenLimitField::kMaxCompletionTokens;
    RequestPolicy older;
    older.token_limit = TokenLimitField::kMaxTokens;
    EXPECT_EQ(Written(R"({"max_tokens":5})", newer), R"({"max_completion_tokens":5})");
    EXPECT_EQ(Written(R"({"max_completion_tokens":5})", older), R"({"max_tokens":5})");
    EXPECT_EQ(Written(R"({"max_tokens":5,"max_completion_tokens":7})", newer),
              R"({"max_completion_tokens":7})");
    EXPECT_EQ(Written(R"({"max_tokens":5,"max_completion_tokens":7})", older),
              R"({"max_tokens":7})");
    EXPECT_EQ(Written(R"({"max_tokens":5,"max_completion_tokens":null})", newer),
              R"({"max_completion_tokens":5})");
    EXPECT_EQ(Written(R"({"max_tokens":null,"a":1})", newer), R"({"a":1})");
}

TEST(WriteRequest, LeavesOutAndReplaces) {
    constexpr std::string_view kLeftOut[] = {"logprobs", "store"};
    constexpr ValueRule kValues[] = {{"service_tier", "default", "on_demand"},
                                     {"service_tier", "fast", ""}};
    RequestPolicy policy;
    policy.left_out = kLeftOut;
    policy.values = kValues;
    EXPECT_EQ(Written(R"({"logprobs":true,"a":1,"store":false})", policy), R"({"a":1})");
    EXPECT_EQ(Written(R"({"service_tier":"default"})", policy), R"({"service_tier":"on_demand"})");
    EXPECT_EQ(Written(R"({"service_tier":"fast"})", policy), "{}");
    EXPECT_EQ(Written(R"({"service_tier":"flex"})", policy), R"({"service_tier":"flex"})");
    EXPECT_EQ(Written(R"({"log\u0070robs":true})", policy), "{}");
}

TEST(WriteRequest, RewritesOnlyTheMessagesThatNeedIt) {
    RequestPolicy policy;
    policy.developer_is_system = true;
    policy.no_nulls_in_messages = true;
    policy.no_names_in_messages = true;
    EXPECT_EQ(
        Written(
            R"({"messages":[{"role":"developer","content":"d"},{ "role":"user" },{"name":"n","role":"user"},{"content":null,"role":"assistant","refusal":null}],"z":null})",
            policy),
        R"({"messages":[{"role":"system","content":"d"},{ "role":"user" },{"role":"user"},{"role":"assistant"}],"z":null})");
    // Only members of the message itself: a tool's argument may be called "name".
    const std::string_view nested =
        R"({"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","x":null}}]}]})";
    EXPECT_EQ(Written(nested, policy), nested);
}

TEST(WriteRequest, RefusesWhatTheProviderCannotDo) {
    RequestPolicy policy;
    policy.one_choice_only = true;
    policy.max_stops = 2;
    EXPECT_EQ(Written(R"({"n":2})", policy), "refused n");
    EXPECT_EQ(Written(R"({"n":0})", policy), "refused n");
    EXPECT_EQ(Written(R"({"n":1})", policy), R"({"n":1})");
    EXPECT_EQ(Written(R"({"n":null})", policy), R"({"n":null})");
    EXPECT_EQ(Written(R"({"stop":["a","b","c"]})", policy), "refused stop");
    EXPECT_EQ(Written(R"({"stop":["a","b"]})", policy), R"({"stop":["a","b"]})");
    EXPECT_EQ(Written(R"({"stop":"abc"})", policy), R"({"stop":"abc"})");
}

TEST(WriteRequest, SendsNothingThatAClosedSchemaDoesNotKnow) {
    constexpr std::string_view kOnly[] = {"model", "messages", "max_tokens", "random_seed"};
    constexpr std::string_view kMembers[] = {"role", "content"};
    constexpr NameRule kNames[] = {{"seed", "random_seed"}};
    RequestPolicy policy;
    policy.token_limit = TokenLimitField::kMaxTokens;
    policy.only = kOnly;
    policy.message_only = kMembers;
    policy.names = kNames;
    EXPECT_EQ(
        Written(
            R"({"model":"m","seed":7,"max_completion_tokens":5,"user":"u","messages":[{"role":"user","content":"c","x":1}]})",
            policy),
        R"({"model":"m","random_seed":7,"max_tokens":5,"messages":[{"role":"user","content":"c"}]})");
}

TEST(WriteRequest, LeavesOutPlatformFieldsUnlessTheyHaveRules) {
    constexpr ValueRule kValues[] = {{"service_tier", "scale", ""}};
    RequestPolicy policy;
    policy.no_platform_fields = true;
    EXPECT_EQ(Written(R"({"store":true,"service_tier":"auto","a":1})", policy), R"({"a":1})");
    policy.values = kValues;
    EXPECT_EQ(Written(R"({"store":true,"service_tier":"auto"})", policy),
              R"({"service_tier":"auto"})");
    EXPECT_EQ(Written(R"({"service_tier":"scale"})", policy), "{}");
}

TEST(WriteRequest, WritesReasoningOfEarlierAnswersAsTheProviderWantsIt) {
    const std::string_view given =
        R"({"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a","reasoning_content":"r\n"},{"role":"assistant","reasoning":"s"}]})";
    const auto with = [&](EarlierReasoning how) {
        RequestPolicy policy;
        policy.earlier_reasoning = how;
        return Written(given, policy);
    };
    EXPECT_EQ(with(EarlierReasoning::kAsGiven), given);
    EXPECT_EQ(
        with(EarlierReasoning::kLeftOut),
        R"({"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"},{"role":"assistant"}]})");
    EXPECT_EQ(
        with(EarlierReasoning::kReasoning),
        R"({"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a","reasoning":"r\n"},{"role":"assistant","reasoning":"s"}]})");
    EXPECT_EQ(
        with(EarlierReasoning::kReasoningContentAlways),
        R"({"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a","reasoning_content":"r\n"},{"role":"assistant","reasoning_content":"s"}]})");
    RequestPolicy always;
    always.earlier_reasoning = EarlierReasoning::kReasoningContentAlways;
    EXPECT_EQ(Written(R"({"messages":[{"role":"assistant","content":"a"}]})", always),
              R"({"messages":[{"role":"assistant","content":"a","reasoning_content":" "}]})");
}

TEST(WriteRequest, BringsValuesIntoTheirRange) {
    RequestPolicy policy;
    policy.max_temperature = 1.5;
    policy.stop_as_array = true;
    policy.logprobs_as_number = true;
    EXPECT_EQ(Written(R"({"temperature":1.8,"stop":"a"})", policy),
              R"({"temperature":1.5,"stop":["a"]})");
    EXPECT_EQ(Written(R"({"temperature":1.50,"stop":["a"]})", policy),
              R"({"temperature":1.50,"stop":["a"]})");
    EXPECT_EQ(Written(R"({"temperature":null,"logprobs":false})", policy),
              R"({"temperature":null})");
    EXPECT_EQ(Written(R"({"logprobs":true})", policy), R"({"logprobs":1})");
    EXPECT_EQ(Written(R"({"top_logprobs":4,"logprobs":true})", policy), R"({"logprobs":4})");
}

TEST(WriteRequest, MapsIdsOfCallsOnBothSides) {
    RequestPolicy policy;
    policy.nine_letter_call_ids = true;
    const std::string written = Written(
        R"({"messages":[{"role":"assistant","tool_calls":[{"id":"call_1","function":{}},{"id":"aB3dE6gH9","function":{}}]},{"role":"tool","tool_call_id":"call_1","content":""}]})",
        policy);
    const std::string id = NineLetterId("call_1");
    EXPECT_EQ(id.size(), 9U);
    EXPECT_NE(id, NineLetterId("call_2"));
    EXPECT_EQ(
        written,
        R"({"messages":[{"role":"assistant","tool_calls":[{"id":")" + id +
            R"(","function":{}},{"id":"aB3dE6gH9","function":{}}]},{"role":"tool","tool_call_id":")" +
            id + R"(","content":""}]})");
}

TEST(WriteRequest, JoinsTextPartsOnlyWhenThereIsNothingElse) {
    RequestPolicy policy;
    policy.text_parts_as_string = true;
    EXPECT_EQ(Written(R"({"messages":[{"content":[{"text":"a\"b"},{"text":"c"}]}]})", policy),
              R"({"messages":[{"content":"a\"b\nc"}]})");
    const std::string_view mixed = R"({"messages":[{"content":[{"text":"a"},{"image_url":"x"}]}]})";
    EXPECT_EQ(Written(mixed, policy), mixed);
    const std::string_view empty = R"({"messages":[{"content":[]}]})";
    EXPECT_EQ(Written(empty, policy), empty);
}

TEST(WriteRequest, RefusesByNameWhatWouldBeMisunderstood) {
    RequestPolicy policy;
    policy.no_json_schema = true;
    policy.function_tools_only = true;
    policy.images_as_data_only = true;
    EXPECT_EQ(Written(R"({"response_format":{"type":"json_schema"}})", policy),
              "refused response_format");
    EXPECT_EQ(Written(R"({"tools":[{"type":"custom"}]})", policy), "refused tools");
    for (const std::string_view image : {R"({"url":"https://e.com/a"})", R"("https://e.com/a")"}) {
        EXPECT_EQ(
            Written(R"({"messages":[{"content":[{"image_url":)" + std::string(image) + "}]}]}",
                    policy),
            "refused messages");
    }
    const std::string_view fine =
        R"({"response_format":{"type":"json_object"},"tools":[{"type":"function"}],"messages":[{"content":[{"image_url":{"url":"data:image/png;base64,aGk="}}]}]})";
    EXPECT_EQ(Written(fine, policy), fine);
}

RowSettings Row(std::string_view json) {
    RowSettings row;
    Refusal refusal;
    EXPECT_TRUE(ReadRowSettings(json, row, refusal)) << refusal.message;
    return row;
}

TEST(RowSettings, OmitAndAdd) {
    const RowSettings row =
        Row(R"({"omit":["stop","n"],"extra_body":{"a":{"b":1.50},"top_p":1},"latency_ms":5})");
    std::string body;
    Refusal refusal;
    ASSERT_TRUE(WriteRequest(R"({"n":1,"top_p":0.5,"stop":"x"})", {}, body, refusal, row));
    EXPECT_EQ(body, R"({"top_p":0.5,"a":{"b":1.50}})");
}

TEST(RowSettings, RefuseWrongTypesByName) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {R"({"omit":"stop"})", "omit"},
        {R"({"omit":[1]})", "omit"},
        {R"({"omit":["messages"]})", "omit"},
        {R"({"extra_body":[]})", "extra_body"},
        {R"({"omit_earlier_reasoning":1})", "omit_earlier_reasoning"},
        {"[]", ""},
        {"{", ""},
    };
    for (const auto& [json, field] : cases) {
        RowSettings row;
        Refusal refusal;
        EXPECT_FALSE(ReadRowSettings(json, row, refusal)) << json;
        EXPECT_EQ(refusal.field, field);
        EXPECT_FALSE(refusal.message.empty());
    }
}

TEST(WriteRequest, RefusesWhatIsNoObject) {
    for (const std::string_view text : {"", "[]", "{", "1", "{}{}"}) {
        EXPECT_EQ(Written(text, {}), "refused ");
    }
}

}  // namespace
}  // namespace aim::openai
