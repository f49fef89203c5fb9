#include "plugins/replicate/chat_provider.hpp"

#include "plugins/replicate/prediction_session.hpp"
#include "plugins/replicate/request_writer.hpp"

namespace aim::replicate {

std::unique_ptr<ChatProvider> ChatProvider::Create(const sdk::Call& call,
                                                   const sdk::Config& config) {
    Settings settings = ReadSettings(call, config);
    return call.Failed() ? nullptr : std::make_unique<ChatProvider>(std::move(settings));
}

std::unique_ptr<sdk::Session> ChatProvider::Start(const sdk::Call& call,
                                                  const sdk::ChatRequest& request,
                                                  std::uint64_t) const {
    PredictionSession::Plan plan;
    plan.creation = CreationOf(request.Endpoint(), request.Model());
    plan.endpoint = request.Endpoint();
    plan.stream = request.Stream();
    plan.max_tokens = request.MaxTokens().value_or(-1);
    plan.wait_seconds = settings_.wait_seconds;
    plan.cancel_after_seconds = settings_.cancel_after_seconds;
    native::Refusal refusal;
    if (!WriteRequest(request.Json(), settings_, plan.creation.version, plan.body, refusal)) {
        call.Fail(
            refusal
                ? refusal.AsFailure()
                : sdk::Failure{
                      sdk::ErrorKind::kInvalidRequest, "the request is not a JSON object", {}, {}});
        return nullptr;
    }
    return std::make_unique<PredictionSession>(std::move(plan));
}

}  // namespace aim::replicate
