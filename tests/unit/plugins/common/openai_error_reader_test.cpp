#include "plugins/common/openai_error_reader.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "plugins/common/redaction.hpp"

namespace aim::openai {
namespace {

using sdk::ErrorKind;

struct Case {
    int status;
    std::string_view body;
    ErrorKind kind;
};

std::string_view Name(ErrorKind kind) {
    constexpr std::string_view kNames[] = {
        "?",        "invalid_request", "unauthenticated",  "forbidden",
        "quota",    "model_not_found", "rate_limited",     "context_too_long",
        "filtered", "overloaded",      "upstream_failure", "upstream_timeout",
        "protocol", "unsupported",     "cancelled",        "internal"};
    return kNames[static_cast<int>(kind)];
}

// One line for every body that providers are known to send, and for every status without one.
constexpr Case kCases[] = {
    {401,
     R"j({"error":{"message":"Incorrect API key provided: sk-x***y.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}})j",
     ErrorKind::kUnauthenticated},
    {404,
     R"j({"error":{"message":"The model `nope` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}})j",
     ErrorKind::kModelNotFound},
    {429,
     R"j({"error":{"message":"Rate limit reached for model `m` on tokens per minute (TPM): Limit 6000, Used 5900, Requested 700. Please try again in 6s.","type":"tokens","param":null,"code":"rate_limit_exceeded"}})j",
     ErrorKind::kRateLimited},
    {429,
     R"j({"error":{"message":"You exceeded your current quota.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}})j",
     ErrorKind::kQuotaExhausted},
    {401,
     R"j({"message":"Wrong API Key","type":"invalid_request_error","param":"api_key","code":"wrong_api_key"})j",
     ErrorKind::kUnauthenticated},
    {400,
     R"j({"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa***yz."})j",
     ErrorKind::kUnauthenticated},
    {422,
     R"j({"detail":[{"type":"extra_forbidden","loc":["body","user"],"msg":"Extra inputs are not permitted","input":"u1"}]})j",
     ErrorKind::kInvalidRequest},
    {401, R"j({"detail":{"status":"quota_exceeded","message":"Quota exceeded."}})j",
     ErrorKind::kQuotaExhausted},
    {402,
     R"j({"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}})j",
     ErrorKind::kQuotaExhausted},
    {529,
     R"j({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"})j",
     ErrorKind::kOverloaded},
    {400,
     R"j({"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}})j",
     ErrorKind::kUnauthenticated},
    {422,
     R"j({"title":"Input validation failed","detail":"- input: prompt is required","status":422})j",
     ErrorKind::kInvalidRequest},
    {403, R"j({"id":"e1","name":"content_moderation","errors":["Your request was flagged"]})j",
     ErrorKind::kForbidden},
    {400,
     R"j({"error":{"code":400,"message":"request (13392 tokens) exceeds the available context size (8192 tokens)","type":"exceed_context_size_error","n_prompt_tokens":13392,"n_ctx":8192}})j",
     ErrorKind::kContextTooLong},
    {400,
     R"j({"error":{"message":"This model's maximum context length is 8192 tokens","code":null}})j",
     ErrorKind::kContextTooLong},
    {400,
     R"j({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}})j",
     ErrorKind::kContextTooLong},
    {400,
     R"j({"error":{"message":"The input token count (5) exceeds the maximum number of tokens allowed (4)."}})j",
     ErrorKind::kContextTooLong},
    {422,
     R"j({"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096","error_type":"validation"})j",
     ErrorKind::kContextTooLong},
    {429,
     R"j({"error":{"message":"Request too large for model `m` on tokens per min (TPM)","type":"tokens","code":"rate_limit_exceeded"}})j",
     ErrorKind::kContextTooLong},
    {400,
     R"j({"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the API."}})j",
     ErrorKind::kQuotaExhausted},
    {400,
     R"j({"error":{"message":"Unsupported parameter: 'max_tokens'","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}})j",
     ErrorKind::kUnsupported},
    {403,
     R"j({"error":{"code":"unsupported_country_region_territory","message":"Country not supported","type":"request_forbidden"}})j",
     ErrorKind::kForbidden},
    {400,
     R"j({"error":{"message":"Your request was rejected","code":"content_policy_violation"}})j",
     ErrorKind::kContentFiltered},
    {410, R"j({"error":{"message":"model retired"}})j", ErrorKind::kModelNotFound},
    {429,
     R"j({"message":"We're experiencing high traffic right now! Please try again soon.","type":"too_many_requests_error","param":"queue","code":"queue_exceeded"})j",
     ErrorKind::kOverloaded},
    {429,
     R"j({"message":"Tokens per minute limit exceeded - too many tokens processed.","type":"too_many_tokens_error","param":"quota","code":"token_quota_exceeded"})j",
     ErrorKind::kRateLimited},
    {503, R"j({"error":"Model X is currently loading","estimated_time":20.0})j",
     ErrorKind::kOverloaded},
    {400, "", ErrorKind::kInvalidRequest},
    {401, "<html>", ErrorKind::kUnauthenticated},
    {402, "", ErrorKind::kQuotaExhausted},
    {403, "Access denied", ErrorKind::kForbidden},
    {404, "", ErrorKind::kModelNotFound},
    {405, "", ErrorKind::kInvalidRequest},
    {408, "", ErrorKind::kUpstreamTimeout},
    {409, "", ErrorKind::kUpstreamFailure},
    {413, "", ErrorKind::kContextTooLong},
    {415, "", ErrorKind::kInvalidRequest},
    {418, "", ErrorKind::kInvalidRequest},
    {422, "", ErrorKind::kInvalidRequest},
    {424, "", ErrorKind::kInvalidRequest},
    {429, "[[[", ErrorKind::kRateLimited},
    {498, "", ErrorKind::kRateLimited},
    {499, "", ErrorKind::kCancelled},
    {500, "{\"error\":null}", ErrorKind::kUpstreamFailure},
    {502, "", ErrorKind::kUpstreamFailure},
    {503, "", ErrorKind::kOverloaded},
    {504, "", ErrorKind::kUpstreamTimeout},
    {520, "", ErrorKind::kUpstreamFailure},
    {524, "", ErrorKind::kUpstreamTimeout},
    {529, "", ErrorKind::kOverloaded},
    {301, "", ErrorKind::kProtocolError},
};

TEST(ReadErrorAnswer, KnowsTheKind) {
    for (const Case& item : kCases) {
        const UpstreamError error = ReadErrorAnswer(item.status, item.body, {}, {});
        EXPECT_EQ(Name(error.kind), Name(item.kind)) << item.status << " " << item.body;
        EXPECT_EQ(error.status, item.status);
        EXPECT_FALSE(error.message.empty());
    }
}

TEST(ReadErrorAnswer, ASentenceInAnAnswerOf5xxIsNoOverflow) {
    const UpstreamError error = ReadErrorAnswer(
        500, R"j({"error":{"message":"maximum context length worker crashed"}})j", {}, {});
    EXPECT_EQ(error.kind, ErrorKind::kUpstreamFailure);
}

TEST(ReadErrorAnswer, TakesMessageCodeAndField) {
    const UpstreamError error = ReadErrorAnswer(
        422, R"j({"detail":[{"loc":["body","user"],"msg":"Extra inputs are not permitted"}]})j", {},
        {});
    EXPECT_EQ(error.message, "Extra inputs are not permitted");
    EXPECT_EQ(error.field, "user");
}

TEST(ReadErrorAnswer, AProvidersRuleGoesFirst) {
    constexpr ErrorRule kRules[] = {{400, "tool_use_failed", ErrorKind::kUpstreamFailure}};
    const ErrorRules rules = {kRules, 1};
    const std::string_view body = R"j({"error":{"message":"x","code":"tool_use_failed"}})j";
    EXPECT_EQ(ReadErrorAnswer(400, body, {}, rules).kind, ErrorKind::kUpstreamFailure);
    EXPECT_EQ(ReadErrorAnswer(422, body, {}, rules).kind, ErrorKind::kInvalidRequest);
}

TEST(ReadErrorAnswer, AResetCountsForLimitsOnly) {
    RateLimitHints hints;
    hints.reset_ms = 5'000;
    EXPECT_EQ(ReadErrorAnswer(429, "", hints, {}).retry_after_ms, 5'000);
    EXPECT_EQ(ReadErrorAnswer(500, "", hints, {}).retry_after_ms, -1);
    hints.retry_after_ms = 7'000;
    EXPECT_EQ(ReadErrorAnswer(503, "", hints, {}).retry_after_ms, 7'000);
}

TEST(ReadErrorAnswer, CutsLongMessagesBetweenCharacters) {
    std::string body = R"j({"error":{"message":")j";
    for (int i = 0; i < 5'000; ++i) {
        body += "ä ";
    }
    body += "\"}}";
    const UpstreamError error = ReadErrorAnswer(400, body, {}, {});
    EXPECT_LE(error.message.size(), 1'000U);
    EXPECT_GE(error.message.size(), 990U);
    EXPECT_NE(static_cast<unsigned char>(error.message.back()), 0xC3);
}

TEST(ReadErrorObject, TakesAStatusOfItsOwn) {
    sdk::JsonDocument document;
    ASSERT_TRUE(document.Parse(
        R"j({"error":{"message":"Requests per minute limit exceeded","type":"too_many_requests_error","code":"request_quota_exceeded"},"status_code":429})j"));
    ASSERT_TRUE(HasError(document.Root()));
    const UpstreamError error = ReadErrorObject(document.Root(), {});
    EXPECT_EQ(error.kind, ErrorKind::kRateLimited);
    EXPECT_EQ(error.status, 429);
}

TEST(HasError, IsNotFooledByEmptyMembers) {
    sdk::JsonDocument document;
    for (const std::string_view text :
         {R"j({"error":null})j", R"j({"error":""})j", R"j({"error":{}})j", R"j({"error":false})j",
          "{}", "[]", "[{}]", "1"}) {
        ASSERT_TRUE(document.Parse(text));
        EXPECT_FALSE(HasError(document.Root())) << text;
    }
}

TEST(SafeText, ShowsNoKeys) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"key sk-proj-abcDEF123456 is bad", "key [redacted] is bad"},
        {"provided: sk-x***y.", "provided: [redacted]."},
        {"gsk_0123456789abcdef", "[redacted]"},
        {"\"hf_abcdefghijk\"", "\"[redacted]\""},
        {"Authorization: Bearer a.b/c~d==, then", "Authorization: Bearer [redacted] then"},
        {"bearer: abcdefg", "bearer: [redacted]"},
        {"AIzaSyA1234567890", "[redacted]"},
        {"token 0123456789abcdef0123456789abcdef x", "token [redacted] x"},
        {"a bearer of bad news", "a bearer of bad news"},
        {"llama-3.3-70b-versatile-with-a-very-long-name-0",
         "llama-3.3-70b-versatile-with-a-very-long-name-0"},
        {"line\none\ttwo", "line one two"},
        {"task-force sky-high", "task-force sky-high"},
        {"", ""},
    };
    for (const auto& [text, expected] : cases) {
        EXPECT_EQ(SafeText(text, 1'000), expected) << text;
    }
}

}  // namespace
}  // namespace aim::openai
