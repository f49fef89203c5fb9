#include "plugins/gemini/embeddings_session.hpp"

#include <string>
#include <utility>

#include "plugins/common/canonical_chat.hpp"
#include "plugins/common/embedding_batches.hpp"
#include "plugins/common/json_writer.hpp"
#include "plugins/gemini/error_reader.hpp"
#include "plugins/gemini/operation_url.hpp"
#include "plugins/gemini/settings.hpp"

namespace aim::gemini {
namespace {

using sdk::JsonValue;

class EmbeddingsSession final : public native::EmbeddingBatches {
  public:
    EmbeddingsSession(const sdk::EmbeddingsRequest& request, std::vector<std::string> texts)
        : native::EmbeddingBatches(std::move(texts), request.Dimensions().value_or(-1)),
          url_(OperationUrl(request.Endpoint(), request.Model(), "batchEmbedContents", {})),
          model_(request.Model().find('/') == std::string_view::npos ? "models/" : ""),
          dimensions_(request.Dimensions().value_or(-1)) {
        model_ += request.Model();
    }

  private:
    void DescribeBatch(sdk::HttpRequest& request, std::span<const std::string> texts) override {
        std::string body;
        native::JsonWriter writer(body);
        writer.BeginObject().Key("requests").BeginArray();
        for (const std::string& text : texts) {
            writer.BeginObject().Key("model").Text(model_);
            writer.Key("content").BeginObject().Key("parts").BeginArray();
            writer.BeginObject().Key("text").Text(text).EndObject().EndArray().EndObject();
            if (dimensions_ >= 0) {
                writer.Key("outputDimensionality").Number(dimensions_);
            }
            writer.EndObject();
        }
        writer.EndArray().EndObject();
        request.Url(url_).Header("x-goog-api-key", "{GOOGLE_AI_STUDIO_API_KEY}").Body(body);
    }
    JsonValue List(JsonValue root) const override { return root["embeddings"]; }
    JsonValue VectorOf(JsonValue item) const override { return item["values"]; }
    // Older models do not count.
    std::int64_t PromptTokens(JsonValue root) const override {
        return native::CountAt(root["usageMetadata"], "promptTokenCount");
    }
    openai::UpstreamError ErrorObject(const sdk::Call& call, JsonValue root) const override {
        return ReadErrorObject(root, call.NowUnixMs());
    }
    openai::UpstreamError ErrorAnswer(const sdk::Call& call, int status, std::string_view body,
                                      const openai::RateLimitHints& hints) const override {
        return ReadErrorAnswer(status, body, hints, call.NowUnixMs());
    }

    std::string url_;
    std::string model_;
    std::int64_t dimensions_;
};

}  // namespace

std::unique_ptr<EmbeddingsProvider> EmbeddingsProvider::Create(const sdk::Call& call,
                                                               const sdk::Config& config) {
    ReadSettings(call, config);  // those of the row's chats: a wrong one is told either way
    return call.Failed() ? nullptr : std::make_unique<EmbeddingsProvider>();
}

std::unique_ptr<sdk::Session> EmbeddingsProvider::Start(const sdk::Call& call,
                                                        const sdk::EmbeddingsRequest& request,
                                                        std::uint64_t) const {
    std::vector<std::string> texts = native::TextInputs(call, request);
    if (call.Failed()) {
        return nullptr;
    }
    return std::make_unique<EmbeddingsSession>(request, std::move(texts));
}

}  // namespace aim::gemini
