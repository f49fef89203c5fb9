#include "core/http/error_response.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"

namespace aim::http {
namespace {

using ::testing::HasSubstr;

TEST(ErrorWriter, WritesTheNativeEnvelope) {
    const aim::testing::FakeClock clock(WallTime(std::chrono::microseconds(1790000000123456)));
    ErrorAnswer answer;
    answer.code = "model_not_found";
    answer.message = "There is no \"x\".";
    answer.field = "model";
    const Response response = ErrorWriter(clock).Write(Protocol::kNative, "id-1", answer);
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(response.headers.Find("Content-Type"), "application/json");
    EXPECT_EQ(
        response.body,
        R"({"error":"There is no \"x\".","error_code":"model_not_found","timestamp":1790000000.123,"request_id":"id-1","context":{"field":"model"}})");
    EXPECT_FALSE(response.headers.Has("Retry-After"));
    EXPECT_FALSE(response.headers.Has("X-Should-Retry"));
}

TEST(ErrorWriter, WritesTheOpenAiEnvelope) {
    ErrorAnswer answer;
    answer.code = "model_not_found";
    answer.message = "No such model.";
    answer.field = "model";
    const ErrorWriter writer;
    EXPECT_EQ(
        writer.Write(Protocol::kOpenAi, "id", answer).body,
        R"({"error":{"message":"No such model.","type":"invalid_request_error","param":"model","code":"model_not_found"}})");
    answer.field = "";
    EXPECT_THAT(writer.Write(Protocol::kOpenAi, "id", answer).body, HasSubstr(R"("param":null)"));
}

TEST(ErrorWriter, TakesTheContextAsItIs) {
    ErrorAnswer answer;
    answer.code = "all_models_failed";
    answer.context_json = R"({"attempts":[1]})";
    answer.should_retry = false;
    const Response response = ErrorWriter().Write(Protocol::kNative, "id", answer);
    EXPECT_EQ(response.status, 502);
    EXPECT_THAT(response.body, HasSubstr(R"("context":{"attempts":[1]})"));
    EXPECT_EQ(response.headers.Find("X-Should-Retry"), "false");
}

TEST(ErrorWriter, GivesRetryAfterInWholeSecondsRoundedUp) {
    const auto header = [](std::string_view code, std::optional<std::chrono::milliseconds> delay) {
        ErrorAnswer answer;
        answer.code = code;
        answer.retry_after = delay;
        return std::string(
            ErrorWriter().Write(Protocol::kNative, "id", answer).headers.Find("Retry-After"));
    };
    using std::chrono::milliseconds;
    EXPECT_EQ(header("rate_limited", milliseconds(1)), "1");
    EXPECT_EQ(header("rate_limited", milliseconds(1000)), "1");
    EXPECT_EQ(header("rate_limited", milliseconds(1001)), "2");
    EXPECT_EQ(header("rate_limited", milliseconds(-5)), "1");
    for (const auto* code : {"no_model_available", "overloaded", "ledger_full", "draining",
                             "database_unavailable", "cannot_verify_key"}) {
        EXPECT_EQ(header(code, std::nullopt), "1") << code;
        EXPECT_EQ(FindErrorCode(code).status, 503) << code;
    }
    EXPECT_EQ(header("invalid_request", std::nullopt), "");
}

TEST(ErrorWriter, EveryTextIsValidJson) {
    ErrorAnswer answer;
    answer.code = "invalid_request";
    answer.message = "tab\t quote\" newline\n";
    EXPECT_THAT(ErrorWriter().Write(Protocol::kNative, "id", answer).body,
                HasSubstr(R"(tab\t quote\" newline\n)"));
}

TEST(ErrorWriter, AnUnknownCodeIsAnInternalError) {
    ErrorAnswer answer;
    answer.code = "no_such_code";
    const Response response = ErrorWriter().Write(Protocol::kNative, "id", answer);
    EXPECT_EQ(response.status, 500);
    EXPECT_THAT(response.body, HasSubstr(R"("error_code":"internal")"));
}

TEST(ErrorWriter, AnErrorsOwnCodeComesBeforeItsKind) {
    Error error;
    error.kind = ErrorKind::kInvalidRequest;
    error.code = "invalid_id";
    error.field = "id";
    error.message = "Not a UUID.";
    EXPECT_THAT(ErrorWriter().Write(Protocol::kNative, "r", error).body,
                HasSubstr(R"("error_code":"invalid_id")"));
    error.code = "a_providers_code";
    EXPECT_THAT(ErrorWriter().Write(Protocol::kNative, "r", error).body,
                HasSubstr(R"("error_code":"invalid_request")"));
}

TEST(ErrorWriter, AProvidersRefusalIsNeverTheCallers401) {
    for (const ErrorKind kind :
         {ErrorKind::kUnauthenticated, ErrorKind::kForbidden, ErrorKind::kQuotaExhausted}) {
        Error error;
        error.kind = kind;
        EXPECT_EQ(ErrorWriter().Write(Protocol::kNative, "r", error).status, 502);
    }
}

TEST(ErrorWriter, EveryKindHasACodeOfTheTable) {
    for (int kind = 1; kind <= 15; ++kind) {
        const std::string_view code = CodeForKind(static_cast<ErrorKind>(kind));
        EXPECT_EQ(FindErrorCode(code).code, code);
    }
}

TEST(ErrorWriter, UnknownPathsAreAnsweredInTheProtocolOfTheirPath) {
    Request request;
    request.target = "/v1/nothing";
    const Response open_ai = ErrorWriter().NoRoute(request, "");
    EXPECT_EQ(open_ai.status, 404);
    EXPECT_THAT(open_ai.body, HasSubstr(R"("code":"not_found")"));
    request.target = "/v1?x=/v1/";
    EXPECT_THAT(ErrorWriter().NoRoute(request, "").body, HasSubstr("error_code"));
    const Response other = ErrorWriter().NoRoute(request, "GET, HEAD");
    EXPECT_EQ(other.status, 405);
    EXPECT_EQ(other.headers.Find("Allow"), "GET, HEAD");
    EXPECT_THAT(other.body, HasSubstr("method_not_allowed"));
}

}  // namespace
}  // namespace aim::http
