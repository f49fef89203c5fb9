#include "plugins/common/openai_error_reader.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "plugins/common/ascii.hpp"
#include "plugins/common/redaction.hpp"

namespace aim::openai {
namespace {

using sdk::ErrorKind;
using sdk::JsonValue;

constexpr std::size_t kMaxMessageBytes = 1000;
constexpr std::size_t kMaxCodeBytes = 100;

struct Named {
    std::string_view name;  // lower case
    ErrorKind kind;
};

// Codes and types that mean the same whatever the status is.
constexpr std::array<Named, 49> kCodes = {{
    {"context_length_exceeded", ErrorKind::kContextTooLong},
    {"exceed_context_size_error", ErrorKind::kContextTooLong},
    {"request_too_large", ErrorKind::kContextTooLong},
    {"string_above_max_length", ErrorKind::kContextTooLong},
    {"insufficient_quota", ErrorKind::kQuotaExhausted},
    {"quota_exceeded", ErrorKind::kQuotaExhausted},
    {"billing_error", ErrorKind::kQuotaExhausted},
    {"billing_not_active", ErrorKind::kQuotaExhausted},
    {"billing_hard_limit_reached", ErrorKind::kQuotaExhausted},
    {"insufficient_balance", ErrorKind::kQuotaExhausted},
    {"insufficient_credits", ErrorKind::kQuotaExhausted},
    {"invalid_api_key", ErrorKind::kUnauthenticated},
    {"wrong_api_key", ErrorKind::kUnauthenticated},
    {"api_key_invalid", ErrorKind::kUnauthenticated},
    {"expired_api_key", ErrorKind::kUnauthenticated},
    {"authentication_error", ErrorKind::kUnauthenticated},
    {"permission_error", ErrorKind::kForbidden},
    {"unsupported_country_region_territory", ErrorKind::kForbidden},
    {"model_not_found", ErrorKind::kModelNotFound},
    {"model_decommissioned", ErrorKind::kModelNotFound},
    {"model_terms_required", ErrorKind::kForbidden},
    {"rate_limit_exceeded", ErrorKind::kRateLimited},
    {"rate_limit_error", ErrorKind::kRateLimited},
    {"too_many_requests_error", ErrorKind::kRateLimited},
    {"request_quota_exceeded", ErrorKind::kRateLimited},
    {"token_quota_exceeded", ErrorKind::kRateLimited},
    {"content_filter", ErrorKind::kContentFiltered},
    {"content_policy_violation", ErrorKind::kContentFiltered},
    {"content_moderation", ErrorKind::kContentFiltered},
    {"moderation_blocked", ErrorKind::kContentFiltered},
    {"overloaded_error", ErrorKind::kOverloaded},
    {"overloaded", ErrorKind::kOverloaded},
    {"engine_overloaded", ErrorKind::kOverloaded},
    {"queue_exceeded", ErrorKind::kOverloaded},
    {"service_unavailable", ErrorKind::kOverloaded},
    {"system_busy", ErrorKind::kOverloaded},
    {"unavailable_error", ErrorKind::kOverloaded},
    {"provider_overloaded", ErrorKind::kOverloaded},
    {"provider_unavailable", ErrorKind::kUpstreamFailure},
    {"payment_required", ErrorKind::kQuotaExhausted},
    {"permission_denied", ErrorKind::kForbidden},
    {"token_limit_exceeded", ErrorKind::kContextTooLong},
    {"not_supported_error", ErrorKind::kUnsupported},
    {"validation", ErrorKind::kInvalidRequest},  // these three are TGI's error_type
    {"generation", ErrorKind::kUpstreamFailure},
    {"incomplete_generation", ErrorKind::kUpstreamFailure},
    {"timeout_error", ErrorKind::kUpstreamTimeout},
    {"unsupported_parameter", ErrorKind::kUnsupported},
    {"unsupported_value", ErrorKind::kUnsupported},
}};

// Sentences about a prompt that does not fit, where no code says so.
constexpr std::array<std::string_view, 13> kContextFragments = {
    "context_length_exceeded",
    "maximum context length",
    "maximum prompt length",
    "exceeds the maximum number of tokens allowed",
    "prompt is too long",
    "input is too long",
    "exceeds the context window",
    "exceeds the available context size",
    "reduce the length of the messages",
    "reduce the length of your messages",
    "too large for model with",
    "request too large for model",
    "please reduce your message size",
};

constexpr std::array<std::string_view, 5> kKeyFragments = {
    "incorrect api key", "invalid api key", "api key not valid", "api key is invalid",
    "unregistered callers"};

constexpr std::array<std::string_view, 6> kQuotaFragments = {"exceeded your current quota",
                                                             "insufficient balance",
                                                             "credit balance is too low",
                                                             "included credits",
                                                             "(tpd)",
                                                             "(rpd)"};

constexpr std::array<std::string_view, 3> kDailyFragments = {"tokens per day", "requests per day",
                                                             "daily limit"};

template <std::size_t kSize>
bool HasAny(const std::string& lowered, const std::array<std::string_view, kSize>& fragments) {
    return std::any_of(fragments.begin(), fragments.end(), [&](std::string_view fragment) {
        return lowered.find(fragment) != std::string::npos;
    });
}

bool TellsContextOverflow(const std::string& lowered) {
    const auto has = [&](std::string_view fragment) {
        return lowered.find(fragment) != std::string::npos;
    };
    return HasAny(lowered, kContextFragments) || (has("token count") && has("exceeds")) ||
           (has("max_new_tokens") && has("must be <="));
}

ErrorKind KindOfStatus(int status) {
    switch (status) {
        case 400:
        case 405:
        case 406:
        case 411:
        case 414:
        case 415:
        case 422:
        case 424:
            return ErrorKind::kInvalidRequest;
        case 401:
            return ErrorKind::kUnauthenticated;
        case 402:
            return ErrorKind::kQuotaExhausted;
        case 403:
        case 451:
            return ErrorKind::kForbidden;
        case 404:
        case 410:
            return ErrorKind::kModelNotFound;
        case 408:
        case 504:
        case 524:
            return ErrorKind::kUpstreamTimeout;
        case 413:
            return ErrorKind::kContextTooLong;
        case 429:
        case 498:
            return ErrorKind::kRateLimited;
        case 499:
            return ErrorKind::kCancelled;
        case 503:
        case 529:
            return ErrorKind::kOverloaded;
        default:
            break;
    }
    if (status == 0 || status == 409 || status == 425 || status >= 500) {
        return ErrorKind::kUpstreamFailure;
    }
    return status >= 400 ? ErrorKind::kInvalidRequest : ErrorKind::kProtocolError;
}

// What the shapes of error bodies have in common; views into the body.
struct Facts {
    std::string_view message;
    std::string_view code;
    std::string_view type;
    std::string_view field;
    std::string_view detail;       // what a provider behind a router said
    std::string_view retry_delay;  // "34.4s", seconds, or an epoch
    int status = 0;
};

std::string_view TextOrNumber(JsonValue value) {
    return value.IsString() ? value.Text() : value.IsNumber() ? value.Raw() : std::string_view();
}

std::string_view FirstNotEmpty(std::string_view a, std::string_view b) { return a.empty() ? b : a; }

void TakeStatus(Facts& facts, JsonValue value) {
    const std::optional<std::int64_t> number = value.Integer();
    if (number && *number >= 400 && *number < 600) {
        facts.status = static_cast<int>(*number);
    }
}

// A router's word about a provider behind it: {"error_type","reasons","raw","headers"}.
void TakeMetadata(Facts& facts, JsonValue metadata) {
    if (!metadata.IsObject()) {
        return;
    }
    facts.code = FirstNotEmpty(facts.code, metadata["error_type"].Text());
    if (metadata["flagged_input"].IsString() || !metadata["reasons"].Empty()) {
        facts.code = "content_moderation";
    }
    facts.detail = metadata["raw"].Text();
    for (const JsonValue header : metadata["headers"]) {
        if (header.Key() == "X-RateLimit-Reset" || header.Key() == "Retry-After") {
            facts.retry_delay = FirstNotEmpty(facts.retry_delay, TextOrNumber(header));
        }
    }
}

// Validation: [{"loc":["body","user"],"msg":…}].
void TakeValidation(Facts& facts, JsonValue list) {
    for (const JsonValue item : list) {
        if (!item.IsObject()) {
            break;
        }
        facts.message = FirstNotEmpty(facts.message, item["msg"].Text());
        if (facts.field.empty()) {
            for (const JsonValue part : item["loc"]) {
                facts.field = part.Text();
            }
        }
    }
}

// {"message","type","code","param"}, with Google's {"status","details":[{"reason"|"retryDelay"}]}.
void TakeObject(Facts& facts, JsonValue object) {
    facts.message = FirstNotEmpty(facts.message, object["message"].Text());
    facts.retry_delay = FirstNotEmpty(facts.retry_delay, TextOrNumber(object["estimated_time"]));
    TakeMetadata(facts, object["metadata"]);
    facts.type = FirstNotEmpty(facts.type, object["type"].Text());
    facts.field = FirstNotEmpty(facts.field, object["param"].Text());
    TakeStatus(facts, object["code"]);
    // A number that repeats the status says less than the type.
    const std::int64_t number = object["code"].Integer().value_or(0);
    const bool is_status = number >= 400 && number < 600;
    const std::string_view code = is_status ? std::string_view() : TextOrNumber(object["code"]);
    TakeStatus(facts, object["status_code"]);
    TakeStatus(facts, object["status"]);
    facts.code = FirstNotEmpty(facts.code, object["status"].Text());
    for (const JsonValue detail : object["details"]) {
        facts.retry_delay = FirstNotEmpty(facts.retry_delay, detail["retryDelay"].Text());
        if (!detail["reason"].Text().empty()) {
            facts.code = detail["reason"].Text();
        }
    }
    facts.code = FirstNotEmpty(facts.code, code);
}

Facts Collect(JsonValue root) {
    if (root.IsArray() && !root.Empty()) {  // Google wraps errors into arrays of one
        root = *root.begin();
    }
    Facts facts;
    const JsonValue error = root["error"];
    if (error.IsObject()) {
        TakeObject(facts, error);
    } else if (error.IsString()) {
        facts.message = error.Text();
        facts.type = root["error_type"].Text();
    }
    for (const JsonValue item : root["errors"]) {
        facts.message =
            FirstNotEmpty(facts.message, item.IsString() ? item.Text() : item["message"].Text());
        facts.code = FirstNotEmpty(facts.code, TextOrNumber(item["code"]));
    }
    const JsonValue detail = root["detail"];
    if (detail.IsString()) {
        facts.message = FirstNotEmpty(facts.message, detail.Text());
    } else if (detail.IsObject()) {
        facts.code = FirstNotEmpty(facts.code, detail["status"].Text());
        facts.message = FirstNotEmpty(facts.message, detail["message"].Text());
    }
    TakeValidation(facts, detail);
    TakeValidation(facts, root["message"]["detail"]);
    TakeObject(facts, root);
    facts.message = FirstNotEmpty(facts.message, root["title"].Text());
    const JsonValue groq = root["x_groq"]["error"];
    facts.message = FirstNotEmpty(facts.message, groq.Text());
    return facts;
}

ErrorKind Classify(const Facts& facts, int status, const ErrorRules& rules) {
    const std::string code = Lowered(facts.code);
    const std::string type = Lowered(facts.type);
    const std::string message = Lowered(facts.message);
    for (const ErrorRule& rule : rules) {
        const bool fits = rule.whole_code
                              ? code == rule.fragment || type == rule.fragment
                              : rule.fragment.empty() || code.find(rule.fragment) != code.npos ||
                                    type.find(rule.fragment) != type.npos ||
                                    message.find(rule.fragment) != message.npos;
        if (fits && (rule.status == 0 || rule.status == status)) {
            return rule.kind;
        }
    }
    // A request over the limit of tokens a minute is told as 413 or 429 and will never fit.
    const bool may_be_context =
        status == 0 || status == 400 || status == 413 || status == 422 ||
        (status == 429 && message.find("request too large") != message.npos);
    if (may_be_context && TellsContextOverflow(message)) {
        return ErrorKind::kContextTooLong;
    }
    const bool quota_possible = status == 0 || (status >= 400 && status <= 429);
    if (quota_possible && status != 404 && HasAny(message, kQuotaFragments)) {
        return ErrorKind::kQuotaExhausted;
    }
    if (status == 429 && HasAny(message, kDailyFragments)) {
        return ErrorKind::kQuotaExhausted;
    }
    if (status == 413) {
        return ErrorKind::kContextTooLong;
    }
    for (const std::string& word : {code, type}) {
        const auto known = std::find_if(kCodes.begin(), kCodes.end(),
                                        [&](const Named& named) { return named.name == word; });
        if (known != kCodes.end()) {
            return known->kind;
        }
    }
    if ((status == 0 || status == 400 || status == 403) && HasAny(message, kKeyFragments)) {
        return ErrorKind::kUnauthenticated;
    }
    if (status == 429 && message.find("high traffic") != message.npos) {
        return ErrorKind::kOverloaded;
    }
    return KindOfStatus(status);
}

UpstreamError Make(const Facts& facts, int status, const ErrorRules& rules,
                   std::uint64_t now_unix_ms) {
    UpstreamError error;
    error.status = status;
    error.kind = Classify(facts, status, rules);
    std::string sentence(facts.message);
    if (!facts.detail.empty()) {
        sentence.append(sentence.empty() ? "" : ": ").append(facts.detail);
    }
    error.message = SafeText(sentence, kMaxMessageBytes);
    error.code = SafeText(FirstNotEmpty(facts.code, facts.type), kMaxCodeBytes);
    error.field = SafeText(facts.field, kMaxCodeBytes);
    if (const auto delay = ParseRetryDelay(facts.retry_delay, now_unix_ms)) {
        error.retry_after_ms = *delay;
    } else if (const auto told = RetryDelayInSentence(facts.message)) {
        error.retry_after_ms = *told;
    }
    return error;
}

bool IsTruthy(JsonValue value) {
    switch (value.Type()) {
        case sdk::JsonType::kNull:
        case sdk::JsonType::kFalse:
            return false;
        case sdk::JsonType::kString:
            return !value.Text().empty();
        case sdk::JsonType::kObject:
            return !value.Empty();
        default:
            return true;
    }
}

std::string StatusSentence(int status) {
    return "the provider answered with status " + std::to_string(status);
}

}  // namespace

UpstreamError ReadErrorAnswer(int status, std::string_view body, const RateLimitHints& hints,
                              const ErrorRules& rules, std::uint64_t now_unix_ms) {
    sdk::JsonDocument document;
    Facts facts;
    std::string plain;
    if (document.Parse(body)) {
        facts = Collect(document.Root());
    } else if (const std::size_t start = body.find_first_not_of(" \r\n\t");
               start != body.npos && body[start] != '<') {
        // A page of a proxy is no message for people, a sentence is.
        plain = StatusSentence(status) + ": " + std::string(body.substr(start, kMaxMessageBytes));
        facts.message = plain;
    }
    UpstreamError error = Make(facts, status, rules, now_unix_ms);
    if (error.message.empty()) {
        error.message = StatusSentence(status);
    }
    if (hints.retry_after_ms) {
        error.retry_after_ms = *hints.retry_after_ms;
    }
    const bool limited =
        error.kind == ErrorKind::kRateLimited || error.kind == ErrorKind::kQuotaExhausted;
    if (error.retry_after_ms < 0 && limited && hints.reset_ms) {
        error.retry_after_ms = *hints.reset_ms;
    }
    return error;
}

bool HasError(JsonValue root) {
    if (root.IsArray() && !root.Empty()) {
        root = *root.begin();
    }
    return IsTruthy(root["error"]) || root["object"].Text() == "error" ||
           IsTruthy(root["x_groq"]["error"]);
}

UpstreamError ReadErrorObject(JsonValue root, const ErrorRules& rules, std::uint64_t now_unix_ms) {
    const Facts facts = Collect(root);
    UpstreamError error = Make(facts, facts.status, rules, now_unix_ms);
    if (error.message.empty()) {
        error.message = "the provider reported an error inside its answer";
    }
    return error;
}

}  // namespace aim::openai
