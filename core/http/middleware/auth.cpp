#include "core/http/middleware/auth.hpp"

#include <utility>

namespace aim::http {
namespace {

constexpr std::string_view kScheme = "Bearer ";

}  // namespace

void ConfiguredKeys::Add(std::string key_id, const SecretString& key) {
    keys_.push_back({std::move(key_id), security::ApiKeyVerifier(key)});
}

KeyVerifier::Answer ConfiguredKeys::Verify(std::string_view presented) const {
    const Entry* match = nullptr;
    for (const Entry& entry : keys_) {
        if (entry.verifier.Verify(presented)) match = &entry;
    }
    if (match == nullptr) return {};
    return {Verdict::kValid, match->key_id};
}

std::string_view PresentedKey(const Request& request) {
    if (const std::string_view key = request.headers.Find("X-API-Key"); !key.empty()) return key;
    std::string_view value = request.headers.Find("Authorization");
    if (value.size() <= kScheme.size() ||
        !EqualsIgnoreCase(value.substr(0, kScheme.size()), kScheme))
        return {};
    value.remove_prefix(kScheme.size());
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    return value;
}

Response AuthMiddleware::LacksScope(const Request& request, const Route& route) const {
    const std::string scope(security::NameOf(route.policy.scope));
    const std::string message =
        "This API key may not be used here: it lacks the scope " + scope + ".";
    const std::string context = R"({"scope":")" + scope + R"("})";
    ErrorAnswer refusal;
    refusal.code = "forbidden";
    refusal.message = message;
    refusal.context_json = context;
    return errors_.Write(ProtocolFor(request, &route), request.request_id, refusal);
}

std::optional<Response> AuthMiddleware::Before(Request& request, const Route* route) {
    if (route == nullptr || route->policy.open) return std::nullopt;
    ErrorAnswer refusal;
    const std::string_view key = PresentedKey(request);
    if (key.empty()) {
        refusal.code = "missing_api_key";
        refusal.message = "An API key is needed: send it as X-API-Key or as Authorization: Bearer.";
    } else {
        const KeyVerifier::Answer answer = verifier_->Verify(key);
        switch (answer.verdict) {
            case KeyVerifier::Verdict::kValid:
                request.key_id.assign(answer.key_id);
                request.key_rate_limit = answer.rate_limit_per_minute;
                if (!security::Grants(answer.scopes, route->policy.scope))
                    return LacksScope(request, *route);
                return std::nullopt;
            case KeyVerifier::Verdict::kInvalid:
                refusal.code = "invalid_api_key";
                refusal.message = "This API key is not valid.";
                break;
            case KeyVerifier::Verdict::kCannotVerify:
                refusal.code = "cannot_verify_key";
                refusal.message = "The API key cannot be checked at the moment.";
                break;
        }
    }
    Response response = errors_.Write(ProtocolFor(request, route), request.request_id, refusal);
    if (response.status == 401) response.headers.Add("WWW-Authenticate", "Bearer");
    return response;
}

}  // namespace aim::http
