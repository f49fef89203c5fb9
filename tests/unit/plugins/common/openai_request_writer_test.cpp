#include "plugins/common/openai_request_writer.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

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
    policy.left_out_count = 2;
    policy.values = kValues;
    policy.value_count = 2;
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

TEST(WriteRequest, RefusesWhatIsNoObject) {
    for (const std::string_view text : {"", "[]", "{", "1", "{}{}"}) {
        EXPECT_EQ(Written(text, {}), "refused ");
    }
}

}  // namespace
}  // namespace aim::openai
