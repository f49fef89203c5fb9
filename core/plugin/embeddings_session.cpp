#include "core/plugin/embeddings_session.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/plugin/abi_text.hpp"

namespace aim::plugin {
namespace {

int32_t GetInput(const aim_embeddings_request* request, uint32_t i, aim_str* text) {
    if (request == nullptr || text == nullptr) return AIM_FAILED;
    const auto& texts = *static_cast<const std::vector<std::string>*>(request->impl);
    if (i >= texts.size()) return AIM_FAILED;
    *text = Str(texts[i]);
    return AIM_OK;
}

}  // namespace

EmbeddingsView::EmbeddingsView(const completion::EmbeddingsRequest& request, std::string_view model,
                               std::string_view model_json, std::string_view endpoint) {
    json_.reserve(request.members.size() + model_json.size() + 16);
    json_.append("{\"model\":").append(model_json);
    if (!request.members.empty()) json_.append(",").append(request.members);
    json_.push_back('}');
    view_.struct_size = sizeof view_;
    view_.flags = request.has_tokens() ? AIM_EMBEDDINGS_HAS_TOKENS : 0u;
    view_.json = Str(json_);
    view_.model = Str(model);
    view_.endpoint = Str(endpoint);
    view_.dimensions = request.dimensions;
    view_.input_count = request.input_count;
    view_.input = &GetInput;
    view_.impl = &request.texts;
}

EmbeddingsSession::EmbeddingsSession(Target target, const completion::EmbeddingsRequest& request,
                                     http::client::HttpClient& client, const Clock& clock,
                                     std::uint64_t seed, Cancellation& cancellation)
    : ProviderSession(target, target.provider, *target.provider->table().session, client, clock,
                      seed, cancellation),
      target_(std::move(target)),
      request_(&request),
      vectors_(request.input_count) {
    Extend(*this);
    SetRequestBytes(request.members.size());
}

int32_t EmbeddingsSession::CallBegin(const aim_call* call, std::uint64_t seed, void** session) {
    const EmbeddingsView view(*request_, target_.model, target_.model_json, target_.endpoint);
    const EmbeddingsProvider& provider = *target_.provider;
    const int32_t step = provider.table().begin(provider.object(), call, view.get(), seed, session);
    request_ = nullptr;
    return step;
}

std::string_view EmbeddingsSession::OnEmbedding(std::uint32_t index, const float* values,
                                                std::uint64_t count) {
    if (index >= vectors_.size()) return "a vector for an input that there is not";
    if (count == 0 || count > kMaxValues) return "a vector of no or over 65536 values";
    if (!vectors_[index].empty()) return "a second vector for an input";
    if (length_ != 0 && count != length_) return "vectors of different lengths";
    if (!std::all_of(values, values + count, [](float value) { return std::isfinite(value); }))
        return "a vector with a value that is no number";
    vectors_[index].assign(values, values + count);
    length_ = static_cast<std::size_t>(count);
    ++came_;
    return {};
}

std::optional<Error> EmbeddingsSession::WhatIsMissing() const {
    if (came_ == vectors_.size()) return std::nullopt;
    return Truncated("the answer has vectors for " + std::to_string(came_) + " of " +
                     std::to_string(vectors_.size()) + " inputs");
}

}  // namespace aim::plugin
