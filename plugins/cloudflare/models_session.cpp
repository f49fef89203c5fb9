#include "plugins/cloudflare/models_session.hpp"

#include <charconv>

#include "plugins/cloudflare/address.hpp"
#include "plugins/cloudflare/chat_session.hpp"
#include "plugins/cloudflare/error_reader.hpp"
#include "plugins/common/canonical_chat.hpp"
#include "plugins/common/model_pages.hpp"

namespace aim::cloudflare {
namespace {

using sdk::JsonValue;

constexpr std::int64_t kPageSize = 100;

class ModelsSession final : public native::ModelPages {
  public:
    explicit ModelsSession(std::string url)
        : native::ModelPages("authorization", kAuthorization), url_(std::move(url)) {}

  private:
    std::string PageUrl(std::string_view token) const override {
        return url_ + "?per_page=" + std::to_string(kPageSize) +
               "&page=" + std::string(token.empty() ? "1" : token);
    }
    JsonValue List(JsonValue root) const override { return root["result"]; }
    std::string NextToken(JsonValue root) const override {
        const JsonValue info = root["result_info"];
        const std::int64_t page = native::CountAt(info, "page");
        const std::int64_t total = native::CountAt(info, "total_count");
        const std::int64_t size = native::CountAt(info, "per_page");
        const bool more = page > 0 && size > 0 && page < 10'000 && size <= kPageSize &&
                          page * size < total && !root["result"].Empty();
        return more ? std::to_string(page + 1) : std::string();
    }
    bool Describe(JsonValue item, sdk::ModelInfo& model) const override {
        const std::string_view task = item["task"]["name"].Text();
        model.id = item["name"].Text();
        for (const JsonValue property : item["properties"]) {
            if (property["property_id"].Text() == "context_window") {
                const std::string_view text = property["value"].Text();
                std::int64_t tokens = -1;
                std::from_chars(text.data(), text.data() + text.size(), tokens);
                model.context_window = tokens > 0 ? tokens : native::CountAt(property, "value");
            }
        }
        if (task == "Text Embeddings") {
            model.capabilities = "embeddings";
        }
        return task == "Text Generation" || task == "Text Embeddings";
    }
    openai::UpstreamError ReadError(const sdk::Call& call, int status, std::string_view body,
                                    const openai::RateLimitHints& hints) const override {
        return ReadErrorAnswer(status, body, hints, call.NowUnixMs());
    }

    std::string url_;
};

}  // namespace

std::unique_ptr<ModelsProvider> ModelsProvider::Create(const sdk::Call&,
                                                       const sdk::Config& config) {
    return std::make_unique<ModelsProvider>(
        std::string(config.Setting("CLOUDFLARE_ACCOUNT_ID").value_or("")));
}

std::unique_ptr<sdk::Session> ModelsProvider::Start(const sdk::Call& call,
                                                    std::string_view endpoint,
                                                    std::uint64_t) const {
    std::string url = ModelsUrl(endpoint, account_);
    if (url.empty()) {
        call.Fail({sdk::ErrorKind::kUnauthenticated,
                   "CLOUDFLARE_ACCOUNT_ID is not set and the endpoint names no account",
                   "no_account", "CLOUDFLARE_ACCOUNT_ID"});
        return nullptr;
    }
    return std::make_unique<ModelsSession>(std::move(url));
}

}  // namespace aim::cloudflare
