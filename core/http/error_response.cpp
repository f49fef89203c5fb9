#include "core/http/error_response.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "core/json/writer.hpp"

namespace aim::http {
namespace {

constexpr std::string_view kInvalid = "invalid_request_error";
constexpr std::string_view kServer = "server_error";
constexpr std::string_view kRate = "rate_limit_error";

constexpr std::array<ErrorCode, 30> kCodes = {{
    {"invalid_json", 400, kInvalid, false},
    {"invalid_request", 400, kInvalid, false},
    {"context_too_long", 400, kInvalid, false},
    {"unsupported", 400, kInvalid, false},
    {"invalid_id", 400, kInvalid, false},
    {"missing_api_key", 401, kInvalid, false},
    {"invalid_api_key", 401, kInvalid, false},
    {"forbidden", 403, "permission_error", false},
    {"not_found", 404, kInvalid, false},
    {"model_not_found", 404, kInvalid, false},
    {"method_not_allowed", 405, kInvalid, false},
    {"request_timeout", 408, kInvalid, false},
    {"duplicate_name", 409, kInvalid, false},
    {"body_too_large", 413, kInvalid, false},
    {"unsupported_media_type", 415, kInvalid, false},
    {"rate_limited", 429, kRate, true},
    {"head_too_large", 431, kInvalid, false},
    {"cancelled", 499, kInvalid, false},
    {"internal", 500, kServer, false},
    {"all_models_failed", 502, kServer, false},
    {"no_model_available", 503, kServer, true},
    {"overloaded", 503, kServer, true},
    {"ledger_full", 503, kServer, true},
    {"draining", 503, kServer, true},
    {"database_unavailable", 503, kServer, true},
    {"cannot_verify_key", 503, kServer, true},
    {"deadline_exceeded", 504, kServer, false},
    {"conflict", 409, kInvalid, false},
    {"precondition_failed", 412, kInvalid, false},
    {"not_implemented", 501, kServer, false},
}};

const ErrorCode* LookUp(std::string_view code) {
    const auto* row = std::find_if(kCodes.begin(), kCodes.end(),
                                   [&](const ErrorCode& c) { return c.code == code; });
    return row == kCodes.end() ? nullptr : row;
}

std::string UnixSeconds(WallTime now) {
    const auto millis =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
    char text[40];
    const int size =
        std::snprintf(text, sizeof text, "%lld.%03lld", static_cast<long long>(millis / 1000),
                      static_cast<long long>(millis % 1000));
    return std::string(text, static_cast<std::size_t>(size));
}

std::string NativeBody(const ErrorAnswer& answer, std::string_view request_id, WallTime now) {
    std::string body;
    json::Writer writer(body);
    writer.BeginObject();
    writer.Key("error").String(answer.message);
    writer.Key("error_code").String(answer.code);
    writer.Key("timestamp").Raw(UnixSeconds(now));
    writer.Key("request_id").String(request_id);
    writer.Key("context");
    if (!answer.context_json.empty()) {
        writer.Raw(answer.context_json);
    } else {
        writer.BeginObject();
        if (!answer.field.empty()) writer.Key("field").String(answer.field);
        writer.EndObject();
    }
    writer.EndObject();
    return body;
}

std::string OpenAiBody(const ErrorAnswer& answer, std::string_view type) {
    std::string body;
    json::Writer writer(body);
    writer.BeginObject().Key("error").BeginObject();
    writer.Key("message").String(answer.message);
    writer.Key("type").String(type);
    writer.Key("param");
    if (answer.field.empty()) {
        writer.Null();
    } else {
        writer.String(answer.field);
    }
    writer.Key("code").String(answer.code);
    writer.EndObject().EndObject();
    return body;
}

}  // namespace

const ErrorCode& FindErrorCode(std::string_view code) {
    const ErrorCode* row = LookUp(code);
    return row != nullptr ? *row : *LookUp("internal");
}

std::string_view CodeForKind(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::kInvalidRequest:
            return "invalid_request";
        case ErrorKind::kModelNotFound:
            return "model_not_found";
        case ErrorKind::kRateLimited:
            return "rate_limited";
        case ErrorKind::kContextTooLong:
            return "context_too_long";
        case ErrorKind::kOverloaded:
            return "overloaded";
        case ErrorKind::kUpstreamTimeout:
            return "deadline_exceeded";
        case ErrorKind::kUnsupported:
            return "unsupported";
        case ErrorKind::kCancelled:
            return "cancelled";
        // A provider's refusal is never the caller's 401 or 403.
        case ErrorKind::kUnauthenticated:
        case ErrorKind::kForbidden:
        case ErrorKind::kQuotaExhausted:
        case ErrorKind::kContentFiltered:
        case ErrorKind::kUpstreamFailure:
        case ErrorKind::kProtocolError:
            return "all_models_failed";
        case ErrorKind::kInternal:
            break;
    }
    return "internal";
}

Response ErrorWriter::Write(Protocol protocol, std::string_view request_id,
                            const ErrorAnswer& answer) const {
    const ErrorCode& row = FindErrorCode(answer.code);
    ErrorAnswer known = answer;
    known.code = row.code;
    Response response =
        Response::Json(row.status, protocol == Protocol::kOpenAi
                                       ? OpenAiBody(known, row.openai_type)
                                       : NativeBody(known, request_id, clock_.WallNow()));
    if (row.retry_after || answer.retry_after) {
        // Rounded up: who comes back a moment early is refused again.
        const auto delay = answer.retry_after.value_or(std::chrono::seconds(1));
        const auto seconds =
            std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(delay).count());
        response.headers.Add("Retry-After", std::to_string(seconds));
    }
    if (!answer.should_retry) response.headers.Add("X-Should-Retry", "false");
    return response;
}

Response ErrorWriter::Write(Protocol protocol, std::string_view request_id,
                            const Error& error) const {
    ErrorAnswer answer;
    answer.code =
        LookUp(error.code) != nullptr ? std::string_view(error.code) : CodeForKind(error.kind);
    answer.message = error.message;
    answer.field = error.field;
    answer.retry_after = error.retry_after;
    return Write(protocol, request_id, answer);
}

Response ErrorWriter::NoRoute(const Request& request, std::string_view allow) const {
    ErrorAnswer answer;
    answer.code = allow.empty() ? "not_found" : "method_not_allowed";
    answer.message =
        allow.empty() ? "There is nothing at this path." : "This path does not have this method.";
    Response response = Write(ProtocolFor(request, nullptr), request.request_id, answer);
    if (!allow.empty()) response.headers.Add("Allow", allow);
    return response;
}

Protocol ProtocolFor(const Request& request, const Route* route) {
    if (route != nullptr) return route->policy.protocol;
    return request.path().starts_with("/v1/") ? Protocol::kOpenAi : Protocol::kNative;
}

}  // namespace aim::http
