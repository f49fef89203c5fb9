#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/completion/embeddings.hpp"
#include "core/plugin/provider_object.hpp"
#include "core/plugin/session_driver.hpp"
#include "core/plugin/sink_extension.hpp"

namespace aim::plugin {

// An EmbeddingsRequest as a plugin sees it, for one attempt at one model. Lives until begin() has
// returned; borrows everything.
class EmbeddingsView {
  public:
    // `model` is the model as the provider calls it, `model_json` the same as a JSON string.
    EmbeddingsView(const completion::EmbeddingsRequest& request, std::string_view model,
                   std::string_view model_json, std::string_view endpoint);
    EmbeddingsView(const EmbeddingsView&) = delete;
    EmbeddingsView& operator=(const EmbeddingsView&) = delete;

    const aim_embeddings_request* get() const { return &view_; }

  private:
    std::string json_;
    aim_embeddings_request view_{};
};

// Vectors for the inputs of one request (aim.embeddings/1). Done only when every input has one, all
// of the same length; otherwise the answer counts as truncated.
class EmbeddingsSession final : public ProviderSession, private SinkExtension {
  public:
    static constexpr std::uint64_t kMaxValues = 65'536;  // of a vector

    struct Target : Bounds {
        std::shared_ptr<const EmbeddingsProvider> provider;
        std::string_view model;
        std::string_view model_json;
        std::string_view endpoint;
    };

    // Everything but `request` (needed until the first Next() has returned) outlives the session.
    EmbeddingsSession(Target target, const completion::EmbeddingsRequest& request,
                      http::client::HttpClient& client, const Clock& clock, std::uint64_t seed,
                      Cancellation& cancellation);

    // What came so far, after the last Next(). The usage is in the batches.
    std::vector<std::vector<float>> TakeVectors() { return std::move(vectors_); }

  private:
    int32_t CallBegin(const aim_call* call, std::uint64_t seed, void** session) override;
    std::optional<Error> WhatIsMissing() const override;

    std::string_view id() const override { return AIM_EMBEDDINGS_SINK_ID; }
    std::string_view OnEmbedding(std::uint32_t index, const float* values,
                                 std::uint64_t count) override;

    const Target target_;
    const completion::EmbeddingsRequest* request_;
    std::vector<std::vector<float>> vectors_;
    std::size_t length_ = 0;  // of each vector, from the first one on
    std::size_t came_ = 0;
};

}  // namespace aim::plugin
