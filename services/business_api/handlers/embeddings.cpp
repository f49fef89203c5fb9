#include "services/business_api/handlers/embeddings.hpp"

#include <utility>

#include "core/dialect/openai_embeddings.hpp"
#include "services/business_api/handlers/reply.hpp"

namespace aim::business_api {
namespace {

Task<> AnswerEmbeddings(http::Exchange& exchange, LoopServices& services,
                        const http::ErrorWriter& errors) {
    const http::Request& request = exchange.request;
    auto wanted = dialect::ReadEmbeddings(request.body);
    if (!wanted) {
        http::Response refusal =
            errors.Write(http::Protocol::kOpenAi, request.request_id, wanted.error());
        co_await exchange.writer.Send(std::move(refusal));
        co_return;
    }
    exchange.request.DropBody();
    const pipeline::Caller caller{request.request_id, request.key_id, request.received_at,
                                  exchange.cancellation};
    pipeline::CompletionResult result = co_await services.completions().Run(*wanted, caller);
    if (result.client_left) {
        exchange.writer.Abort();
        co_return;
    }
    if (result.error) {
        http::Response failure =
            ErrorReply(errors, http::Protocol::kOpenAi, request.request_id, result);
        co_await exchange.writer.Send(std::move(failure));
        co_return;
    }
    http::Response response = http::Response::Json(
        200, dialect::WriteEmbeddings(result.vectors, result.response.usage,
                                      result.candidate->row->name, wanted->base64));
    AddCompletionHeaders(result, response);
    co_await exchange.writer.Send(std::move(response));
}

}  // namespace

void AddEmbeddingsRoutes(http::Router& router, const std::shared_ptr<LoopServices>& services,
                         const http::ErrorWriter& errors) {
    http::RoutePolicy policy;
    policy.rate_limited = true;
    policy.scope = security::Scope::kPrompts;
    policy.protocol = http::Protocol::kOpenAi;
    router.AddStream(
        http::Method::kPost, "/v1/embeddings",
        [services, &errors](http::Exchange& exchange) {
            return AnswerEmbeddings(exchange, *services, errors);
        },
        policy);
}

}  // namespace aim::business_api
