#include "plugins/anthropic/models_session.hpp"

#include <string>

#include "plugins/anthropic/chat_session.hpp"
#include "plugins/anthropic/error_rules.hpp"
#include "plugins/common/canonical_chat.hpp"
#include "plugins/common/model_pages.hpp"
#include "plugins/common/openai_chat.hpp"

namespace aim::anthropic {
namespace {

using sdk::JsonValue;

class ModelsSession final : public native::ModelPages {
  public:
    explicit ModelsSession(std::string url)
        : native::ModelPages("x-api-key", "{ANTHROPIC_API_KEY}"), url_(std::move(url)) {
        AddHeader("anthropic-version", kVersion);
    }

  private:
    std::string PageUrl(std::string_view token) const override {
        std::string url = url_ + (url_.find('?') == url_.npos ? '?' : '&') + "limit=1000";
        if (!token.empty()) {
            url += "&after_id=" + native::QueryEncoded(token);
        }
        return url;
    }
    JsonValue List(JsonValue root) const override { return root["data"]; }
    std::string NextToken(JsonValue root) const override {
        return root["has_more"].IsTrue() ? std::string(root["last_id"].Text()) : std::string();
    }
    bool Describe(JsonValue item, sdk::ModelInfo& model) const override {
        model.id = item["id"].Text();
        model.display_name = item["display_name"].Text();
        model.context_window = native::CountAt(item, "max_input_tokens");
        model.max_output_tokens = native::CountAt(item, "max_tokens");
        return true;
    }
    openai::UpstreamError ReadError(const sdk::Call&, int status, std::string_view body,
                                    const openai::RateLimitHints& hints) const override {
        return openai::ReadErrorAnswer(status, body, hints, kErrorRules);
    }

    std::string url_;
};

}  // namespace

std::unique_ptr<sdk::Session> ModelsProvider::Start(const sdk::Call&, std::string_view endpoint,
                                                    std::uint64_t) const {
    constexpr std::string_view kChat = "/messages";
    std::string base(endpoint);
    if (const std::size_t at = base.find(kChat); at != base.npos) {  // a row with a full path
        base.erase(at, kChat.size());
    }
    return std::make_unique<ModelsSession>(openai::OperationUrl(base, "/models"));
}

}  // namespace aim::anthropic
