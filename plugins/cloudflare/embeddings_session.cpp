#include "plugins/cloudflare/embeddings_session.hpp"

#include <string>
#include <utility>

#include "plugins/cloudflare/address.hpp"
#include "plugins/cloudflare/chat_session.hpp"
#include "plugins/cloudflare/error_reader.hpp"
#include "plugins/common/canonical_chat.hpp"
#include "plugins/common/embedding_batches.hpp"
#include "plugins/common/json_writer.hpp"

namespace aim::cloudflare {
namespace {

using sdk::JsonValue;

class EmbeddingsSession final : public native::EmbeddingBatches {
  public:
    EmbeddingsSession(Address address, const sdk::EmbeddingsRequest& request,
                      std::vector<std::string> texts)
        : native::EmbeddingBatches(std::move(texts), request.Dimensions().value_or(-1)),
          address_(std::move(address)),
          model_(request.Model()) {}

  private:
    bool IsNative() const { return address_.api == Api::kNative; }

    void DescribeBatch(sdk::HttpRequest& request, std::span<const std::string> texts) override {
        std::string body;
        native::JsonWriter writer(body);
        writer.BeginObject();
        if (!IsNative()) {
            writer.Key("model").Text(model_);
        }
        writer.Key(IsNative() ? "text" : "input").BeginArray();
        for (const std::string& text : texts) {
            writer.Text(text);
        }
        writer.EndArray().EndObject();
        request.Url(address_.url).Header("authorization", kAuthorization).Body(body);
    }
    JsonValue List(JsonValue root) const override {
        return IsNative() ? root["result"]["data"] : root["data"];
    }
    JsonValue VectorOf(JsonValue item) const override {
        return IsNative() ? item : item["embedding"];
    }
    std::int64_t PromptTokens(JsonValue root) const override {
        return native::CountAt(IsNative() ? root["result"]["usage"] : root["usage"],
                               "prompt_tokens");
    }
    openai::UpstreamError ErrorObject(const sdk::Call& call, JsonValue root) const override {
        return ReadErrorObject(root, call.NowUnixMs());
    }
    openai::UpstreamError ErrorAnswer(const sdk::Call& call, int status, std::string_view body,
                                      const openai::RateLimitHints& hints) const override {
        return ReadErrorAnswer(status, body, hints, call.NowUnixMs());
    }

    Address address_;
    std::string model_;
};

}  // namespace

std::unique_ptr<EmbeddingsProvider> EmbeddingsProvider::Create(const sdk::Call& call,
                                                               const sdk::Config& config) {
    Settings settings = ReadSettings(call, config);
    return call.Failed() ? nullptr : std::make_unique<EmbeddingsProvider>(std::move(settings));
}

std::unique_ptr<sdk::Session> EmbeddingsProvider::Start(const sdk::Call& call,
                                                        const sdk::EmbeddingsRequest& request,
                                                        std::uint64_t) const {
    Address address = EmbeddingsAddress(request.Endpoint(), request.Model(), settings_);
    if (address.url.empty()) {
        call.Fail({sdk::ErrorKind::kUnauthenticated,
                   "CLOUDFLARE_ACCOUNT_ID is not set and the endpoint names no account",
                   "no_account", "CLOUDFLARE_ACCOUNT_ID"});
        return nullptr;
    }
    std::vector<std::string> texts = native::TextInputs(call, request);
    if (call.Failed()) {
        return nullptr;
    }
    return std::make_unique<EmbeddingsSession>(std::move(address), request, std::move(texts));
}

}  // namespace aim::cloudflare
