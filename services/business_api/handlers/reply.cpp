#include "services/business_api/handlers/reply.hpp"

#include <string>

#include "core/json/writer.hpp"

namespace aim::business_api {

http::Response ErrorReply(const http::ErrorWriter& errors, http::Protocol protocol,
                          std::string_view request_id, const pipeline::CompletionResult& result) {
    http::ErrorAnswer answer;
    answer.code = result.error->code;
    answer.message = result.error->message;
    answer.field = result.error->field;
    answer.context_json = result.context_json;
    answer.retry_after = result.error->retry_after;
    answer.should_retry = result.should_retry;
    http::Response response = errors.Write(protocol, request_id, answer);
    response.headers.Add("X-AIManager-Attempts", std::to_string(result.attempts.size()));
    return response;
}

void AddCompletionHeaders(const pipeline::CompletionResult& result, http::Response& response) {
    if (result.candidate == nullptr) return;
    std::string score;
    json::Writer(score).Decimal(result.score);
    response.headers.Add("X-AIManager-Model", result.candidate->row->name);
    response.headers.Add("X-AIManager-Provider", result.candidate->row->provider);
    response.headers.Add("X-AIManager-Score", score);
    response.headers.Add("X-AIManager-Attempts", std::to_string(result.attempts.size()));
    response.headers.Add("X-AIManager-Overhead-Us", std::to_string(result.overhead.count()));
}

}  // namespace aim::business_api
