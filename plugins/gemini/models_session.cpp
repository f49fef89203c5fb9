#include "plugins/gemini/models_session.hpp"

#include <string>

#include "plugins/common/canonical_chat.hpp"
#include "plugins/common/model_pages.hpp"
#include "plugins/gemini/error_reader.hpp"
#include "plugins/gemini/operation_url.hpp"

namespace aim::gemini {
namespace {

using sdk::JsonValue;

class ModelsSession final : public native::ModelPages {
  public:
    explicit ModelsSession(std::string_view endpoint)
        : native::ModelPages("x-goog-api-key", "{GOOGLE_AI_STUDIO_API_KEY}"), endpoint_(endpoint) {}

  private:
    std::string PageUrl(std::string_view token) const override {
        std::string parameters = "pageSize=1000";
        if (!token.empty()) {
            parameters += "&pageToken=" + native::QueryEncoded(token);
        }
        return ModelsUrl(endpoint_, parameters);
    }
    JsonValue List(JsonValue root) const override { return root["models"]; }
    std::string NextToken(JsonValue root) const override {
        return std::string(root["nextPageToken"].Text());
    }
    bool Describe(JsonValue item, sdk::ModelInfo& model) const override {
        constexpr std::string_view kFolder = "models/";
        model.id = item["name"].Text();
        if (model.id.substr(0, kFolder.size()) == kFolder) {
            model.id.remove_prefix(kFolder.size());
        }
        model.display_name = item["displayName"].Text();
        model.context_window = native::CountAt(item, "inputTokenLimit");
        model.max_output_tokens = native::CountAt(item, "outputTokenLimit");
        bool chats = false;
        bool embeds = false;
        for (const JsonValue method : item["supportedGenerationMethods"]) {
            chats = chats || method.Text() == "generateContent";
            embeds = embeds || method.Text() == "embedContent";
        }
        if (embeds && !chats) {
            model.capabilities = "embeddings";
        }
        return chats || embeds;
    }
    openai::UpstreamError ReadError(const sdk::Call& call, int status, std::string_view body,
                                    const openai::RateLimitHints& hints) const override {
        return ReadErrorAnswer(status, body, hints, call.NowUnixMs());
    }

    std::string endpoint_;
};

}  // namespace

std::unique_ptr<sdk::Session> ModelsProvider::Start(const sdk::Call&, std::string_view endpoint,
                                                    std::uint64_t) const {
    return std::make_unique<ModelsSession>(endpoint);
}

}  // namespace aim::gemini
