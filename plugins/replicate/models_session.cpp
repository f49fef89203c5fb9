#include "plugins/replicate/models_session.hpp"

#include <string>
#include <utility>

#include "plugins/common/model_pages.hpp"
#include "plugins/replicate/prediction_session.hpp"

namespace aim::replicate {
namespace {

using sdk::JsonValue;

class ModelsSession final : public native::ModelPages {
  public:
    explicit ModelsSession(std::string url)
        : native::ModelPages("authorization", kAuthorization), url_(std::move(url)) {}

  private:
    std::string PageUrl(std::string_view) const override { return url_; }
    JsonValue List(JsonValue root) const override { return root["models"]; }
    std::string NextToken(JsonValue) const override { return {}; }
    bool Describe(JsonValue item, sdk::ModelInfo& model) const override {
        const std::string_view owner = item["owner"].Text();
        const std::string_view name = item["name"].Text();
        id_ = std::string(owner) + "/" + std::string(name);
        model.id = id_;
        model.display_name = name;
        return !owner.empty() && !name.empty();
    }
    openai::UpstreamError ReadError(const sdk::Call&, int status, std::string_view body,
                                    const openai::RateLimitHints& hints) const override {
        return ReadErrorAnswer(status, body, hints);
    }

    std::string url_;
    mutable std::string id_;  // what the last model's id points to
};

}  // namespace

std::unique_ptr<sdk::Session> ModelsProvider::Start(const sdk::Call&, std::string_view endpoint,
                                                    std::uint64_t) const {
    return std::make_unique<ModelsSession>(BaseUrl(endpoint) + "/collections/language-models");
}

}  // namespace aim::replicate
