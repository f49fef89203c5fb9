#include "tests/integration/failures/policy_cases.hpp"

namespace aim::gateway {
namespace {

constexpr bool kFallsBack = true;
constexpr bool kFinal = false;
constexpr bool kAfterContent = true;
constexpr bool kBefore = false;
constexpr const char* kNoSettings = "{}";
// Short where only the timer can end it; generous where content must come first on a busy machine.
constexpr const char* kShortWhole = R"({"attempt_timeout_ms":300})";
constexpr const char* kShortFirst = R"({"first_content_timeout_ms":300})";
constexpr const char* kShortBetween = R"({"between_content_timeout_ms":300})";
constexpr const char* kShortConnect = R"({"connect_timeout_ms":300})";
constexpr const char* kFailed = "all_models_failed";

// clang-format off
constexpr PolicyCase kCases[] = {
    // Every error kind, as a plugin tells it.
    {"kind_invalid_request", Place::kMock, R"({"error_rate":1,"error_kind":"invalid_request"})", kNoSettings, kNoSettings, "invalid_request", "invalid_request", 400, "invalid_request", "available", kFinal, kBefore},
    {"kind_unauthenticated", Place::kMock, R"({"error_rate":1,"error_kind":"unauthenticated"})", kNoSettings, kNoSettings, "unauthenticated", "unauthenticated", 502, kFailed, "parked", kFallsBack, kBefore},
    {"kind_forbidden", Place::kMock, R"({"error_rate":1,"error_kind":"forbidden"})", kNoSettings, kNoSettings, "forbidden", "forbidden", 502, kFailed, "parked", kFallsBack, kBefore},
    {"kind_quota_exhausted", Place::kMock, R"({"error_rate":1,"error_kind":"quota_exhausted"})", kNoSettings, kNoSettings, "quota_exhausted", "quota_exhausted", 502, kFailed, "parked", kFallsBack, kBefore},
    {"kind_model_not_found", Place::kMock, R"({"error_rate":1,"error_kind":"model_not_found"})", kNoSettings, kNoSettings, "model_not_found", "model_not_found", 502, kFailed, "parked", kFallsBack, kBefore},
    {"kind_context_too_long", Place::kMock, R"({"error_rate":1,"error_kind":"context_too_long"})", kNoSettings, kNoSettings, "context_too_long", "context_too_long", 400, "context_too_long", "available", kFinal, kBefore},
    {"kind_content_filtered", Place::kMock, R"({"error_rate":1,"error_kind":"content_filtered"})", kNoSettings, kNoSettings, "content_filtered", "content_filtered", 200, "", "available", kFinal, kBefore},
    {"kind_overloaded", Place::kMock, R"({"error_rate":1,"error_kind":"overloaded"})", kNoSettings, kNoSettings, "overloaded", "overloaded", 502, kFailed, "available", kFallsBack, kBefore},
    {"kind_upstream_failure", Place::kMock, R"({"error_rate":1,"error_kind":"upstream_failure"})", kNoSettings, kNoSettings, "upstream_failure", "upstream_failure", 502, kFailed, "available", kFallsBack, kBefore},
    {"kind_upstream_timeout", Place::kMock, R"({"error_rate":1,"error_kind":"upstream_timeout"})", kNoSettings, kNoSettings, "upstream_timeout", "upstream_timeout", 502, kFailed, "available", kFallsBack, kBefore},
    {"kind_protocol_error", Place::kMock, R"({"error_rate":1,"error_kind":"protocol_error"})", kNoSettings, kNoSettings, "protocol_error", "protocol_error", 502, kFailed, "available", kFallsBack, kBefore},
    {"kind_unsupported", Place::kMock, R"({"error_rate":1,"error_kind":"unsupported"})", kNoSettings, kNoSettings, "unsupported", "unsupported", 400, "unsupported", "available", kFallsBack, kBefore},
    // Nobody but the caller cancels: a provider that says so has failed.
    {"kind_cancelled", Place::kMock, R"({"error_rate":1,"error_kind":"cancelled"})", kNoSettings, kNoSettings, "upstream_failure", "upstream_failure", 502, kFailed, "available", kFallsBack, kBefore},
    {"kind_internal", Place::kMock, R"({"error_rate":1,"error_kind":"internal"})", kNoSettings, kNoSettings, "internal", "internal", 502, kFailed, "available", kFallsBack, kBefore},
    // What providers say.
    {"status_400", Place::kFake, R"({"status":400})", kNoSettings, kNoSettings, "invalid_request", "invalid_request", 400, "invalid_request", "available", kFinal, kBefore},
    {"status_401", Place::kFake, R"({"status":401})", kNoSettings, kNoSettings, "unauthenticated", "unauthenticated", 502, kFailed, "parked", kFallsBack, kBefore},
    {"status_402", Place::kFake, R"({"status":402})", kNoSettings, kNoSettings, "quota_exhausted", "quota_exhausted", 502, kFailed, "parked", kFallsBack, kBefore},
    {"status_403", Place::kFake, R"({"status":403})", kNoSettings, kNoSettings, "forbidden", "forbidden", 502, kFailed, "parked", kFallsBack, kBefore},
    {"status_404", Place::kFake, R"({"status":404})", kNoSettings, kNoSettings, "model_not_found", "model_not_found", 502, kFailed, "parked", kFallsBack, kBefore},
    {"status_429", Place::kFake, R"({"status":429,"headers":{"retry-after":"120"}})", kNoSettings, kNoSettings, "rate_limited", "rate_limited", 429, "rate_limited", "cooling_down", kFallsBack, kBefore},
    {"status_500", Place::kFake, R"({"status":500})", kNoSettings, kNoSettings, "upstream_failure", "upstream_failure", 502, kFailed, "available", kFallsBack, kBefore},
    {"status_500_empty", Place::kFake, R"({"status":500,"body":""})", kNoSettings, kNoSettings, "upstream_failure", "upstream_failure", 502, kFailed, "available", kFallsBack, kBefore},
    {"status_502_html", Place::kFake, R"({"status":502,"content_type":"text/html","body":"<html>502</html>"})", kNoSettings, kNoSettings, "upstream_failure", "upstream_failure", 502, kFailed, "available", kFallsBack, kBefore},
    {"status_503", Place::kFake, R"({"status":503})", kNoSettings, kNoSettings, "overloaded", "overloaded", 502, kFailed, "available", kFallsBack, kBefore},
    {"status_302", Place::kFake, R"({"status":302,"headers":{"location":"http://127.0.0.1:1/"},"body":""})", kNoSettings, kNoSettings, "protocol_error", "protocol_error", 502, kFailed, "available", kFallsBack, kBefore},
    {"context_length", Place::kFake, R"({"status":400,"body":{"error":{"message":"Please reduce the length of the messages.","type":"invalid_request_error","code":"context_length_exceeded"}}})", kNoSettings, kNoSettings, "context_too_long", "context_too_long", 400, "context_too_long", "available", kFinal, kBefore},
    {"error_in_200", Place::kFake, R"({"error_in_stream":{"message":"overloaded","type":"overloaded_error"}})", kNoSettings, kNoSettings, "overloaded", "overloaded", 502, kFailed, "available", kFallsBack, kBefore},
    {"error_in_200_later", Place::kFake, R"({"text":"a b c d","chunk_delay_ms":500,"error_after_chunks":2,"error_in_stream":{"message":"overloaded","type":"overloaded_error"}})", kNoSettings, kNoSettings, "overloaded", "overloaded", 502, kFailed, "available", kFallsBack, kAfterContent},
    // The timers.
    {"silent_after_accept", Place::kFake, R"({"never_answer":true})", kShortWhole, kShortFirst, "upstream_timeout", "upstream_timeout", 502, kFailed, "available", kFallsBack, kBefore},
    {"stall_before_head", Place::kFake, R"({"text":"late","delay_before_head_ms":60000})", kShortWhole, kShortFirst, "upstream_timeout", "upstream_timeout", 502, kFailed, "available", kFallsBack, kBefore},
    {"stall_before_content", Place::kFake, R"({"text":"late","delay_before_first_byte_ms":60000})", kShortWhole, kShortFirst, "upstream_timeout", "upstream_timeout", 502, kFailed, "available", kFallsBack, kBefore},
    {"stall_between_contents", Place::kFake, R"({"text":"a b c d","stall_after_chunks":2})", kShortWhole, kShortBetween, "upstream_timeout", "upstream_timeout", 502, kFailed, "available", kFallsBack, kAfterContent},
    {"endless_comments", Place::kFake, R"({"endless_comments":true,"chunk_delay_ms":20})", kShortWhole, kShortFirst, "upstream_timeout", "upstream_timeout", 502, kFailed, "available", kFallsBack, kBefore},
    {"slow_drip", Place::kFake, R"({"text":"a b c d","split":1,"split_delay_ms":40})", kShortWhole, kShortFirst, "upstream_timeout", "upstream_timeout", 502, kFailed, "available", kFallsBack, kBefore},
    {"connect_timeout", Place::kFull, "", kShortConnect, kShortConnect, "upstream_timeout", "upstream_timeout", 502, kFailed, "available", kFallsBack, kBefore},
    // The connection.
    {"refused", Place::kRefused, "", kNoSettings, kNoSettings, "upstream_failure", "upstream_failure", 502, kFailed, "available", kFallsBack, kBefore},
    {"dns_failure", Place::kNoName, "", kNoSettings, kNoSettings, "upstream_failure", "upstream_failure", 502, kFailed, "available", kFallsBack, kBefore},
    {"tls_untrusted", Place::kUntrusted, "", kNoSettings, kNoSettings, "upstream_failure", "upstream_failure", 502, kFailed, "available", kFallsBack, kBefore},
    {"tls_to_plain", Place::kTlsToPlain, "", kShortConnect, kShortConnect, "upstream_timeout", "upstream_timeout", 502, kFailed, "available", kFallsBack, kBefore},
    {"plain_to_tls", Place::kPlainToTls, "", kNoSettings, kNoSettings, "upstream_failure", "upstream_failure", 502, kFailed, "available", kFallsBack, kBefore},
    {"reset", Place::kFake, R"({"reset":true})", kNoSettings, kNoSettings, "upstream_failure", "upstream_failure", 502, kFailed, "available", kFallsBack, kBefore},
    {"reset_mid_answer", Place::kFake, R"({"text":"a b c d","chunk_delay_ms":500,"cut_after_chunks":2,"reset":true})", kNoSettings, kNoSettings, "upstream_failure", "upstream_failure", 502, kFailed, "available", kFallsBack, kAfterContent},
    {"closed_before_head", Place::kFake, R"({"cut_before_head":true})", kNoSettings, kNoSettings, "upstream_failure", "upstream_failure", 502, kFailed, "available", kFallsBack, kBefore},
    // The bytes.
    {"truncated_json", Place::kFake, R"({"body":"{\"id\":\"x\",\"choices\":[{\"ind"})", kNoSettings, kNoSettings, "protocol_error", "protocol_error", 502, kFailed, "available", kFallsBack, kBefore},
    {"truncated_body", Place::kFake, R"({"text":"a b c d","cut_after_bytes":12})", kNoSettings, kNoSettings, "upstream_failure", "upstream_failure", 502, kFailed, "available", kFallsBack, kBefore},
    {"truncated_stream", Place::kFake, R"({"text":"a b c d","chunk_delay_ms":500,"cut_after_chunks":2})", kNoSettings, kNoSettings, "upstream_failure", "upstream_failure", 502, kFailed, "available", kFallsBack, kAfterContent},
    {"wrong_content_type", Place::kFake, R"({"content_type":"text/html","body":"<html><body>Welcome!</body></html>"})", kNoSettings, kNoSettings, "protocol_error", "upstream_failure", 502, kFailed, "available", kFallsBack, kBefore},
    {"garbage", Place::kFake, R"({"garbage":true})", kNoSettings, kNoSettings, "protocol_error", "protocol_error", 502, kFailed, "available", kFallsBack, kBefore},
    {"garbage_head", Place::kFake, R"({"garbage_head":true})", kNoSettings, kNoSettings, "protocol_error", "protocol_error", 502, kFailed, "available", kFallsBack, kBefore},
    {"garbage_later", Place::kFake, R"({"text":"a b c d","chunk_delay_ms":500,"garbage":true,"error_after_chunks":2})", kNoSettings, kNoSettings, "protocol_error", "protocol_error", 502, kFailed, "available", kFallsBack, kAfterContent},
    {"empty_answer", Place::kFake, R"({"body":""})", kNoSettings, kNoSettings, "protocol_error", "protocol_error", 502, kFailed, "available", kFallsBack, kBefore},
};
// clang-format on

}  // namespace

std::span<const PolicyCase> PolicyCases() { return kCases; }

}  // namespace aim::gateway
