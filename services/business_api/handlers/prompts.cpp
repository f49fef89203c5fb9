#include "services/business_api/handlers/prompts.hpp"

#include <utility>

#include "core/dialect/native_prompt.hpp"
#include "services/business_api/handlers/reply.hpp"

namespace aim::business_api {
namespace {

Task<> AnswerPrompt(http::Exchange& exchange, LoopServices& services,
                    const http::ErrorWriter& errors) {
    const http::Request& request = exchange.request;
    auto prompt = dialect::ReadNativePrompt(request.body);
    if (!prompt) {
        http::Response refusal =
            errors.Write(http::Protocol::kNative, request.request_id, prompt.error());
        co_await exchange.writer.Send(std::move(refusal));
        co_return;
    }
    exchange.request.DropBody();
    const pipeline::Caller caller{request.request_id, request.key_id, request.received_at,
                                  exchange.cancellation};
    pipeline::CompletionResult result =
        co_await services.completions().Run(*prompt, caller, nullptr);
    if (result.client_left) {
        exchange.writer.Abort();
        co_return;
    }
    if (result.error) {
        http::Response failure =
            ErrorReply(errors, http::Protocol::kNative, request.request_id, result);
        co_await exchange.writer.Send(std::move(failure));
        co_return;
    }
    dialect::NativeAnswer answer;
    answer.model.id = result.candidate->row->id.ToString();
    answer.model.name = result.candidate->row->name;
    answer.model.provider = result.candidate->row->provider;
    answer.model.reliability_score = result.score;
    answer.processing_time = result.processing_time;
    answer.request_id = request.request_id;
    answer.attempts = std::move(result.attempts);
    http::Response response =
        http::Response::Json(200, dialect::WriteNativeAnswer(result.response, answer));
    result.attempts = std::move(answer.attempts);
    AddCompletionHeaders(result, response);
    co_await exchange.writer.Send(std::move(response));
}

}  // namespace

void AddPromptRoutes(http::Router& router, const std::shared_ptr<LoopServices>& services,
                     const http::ErrorWriter& errors) {
    http::RoutePolicy policy;
    policy.rate_limited = true;
    policy.scope = security::Scope::kPrompts;
    const http::StreamHandler handler = [services, &errors](http::Exchange& exchange) {
        return AnswerPrompt(exchange, *services, errors);
    };
    router.AddStream(http::Method::kPost, "/api/v1/prompts", handler, policy);
    router.AddStream(http::Method::kPost, "/api/v1/prompts/process", handler, policy);
}

}  // namespace aim::business_api
