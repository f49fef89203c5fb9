#include "core/plugin/models_session.hpp"

#include <algorithm>
#include <utility>

#include "core/base/utf8.hpp"

namespace aim::plugin {
namespace {

constexpr std::size_t kMaxText = 512;

std::string Clean(aim_str text) {
    std::string clean;
    if (text.data != nullptr)
        SanitizeUtf8(std::string_view(text.data, text.size).substr(0, kMaxText), clean);
    return clean;
}

std::optional<std::int64_t> Count(std::int64_t value) {
    return value < 0 ? std::nullopt : std::optional<std::int64_t>(value);
}

std::vector<std::string> Words(const std::string& text) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find(' ', at), text.size());
        if (end > at) words.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return words;
}

}  // namespace

ModelsSession::ModelsSession(Target target, http::client::HttpClient& client, const Clock& clock,
                             std::uint64_t seed, Cancellation& cancellation)
    : ProviderSession(target, target.provider, *target.provider->table().session, client, clock,
                      seed, cancellation),
      target_(std::move(target)) {
    Extend(*this);
}

int32_t ModelsSession::CallBegin(const aim_call* call, std::uint64_t seed, void** session) {
    const ModelsProvider& provider = *target_.provider;
    const aim_str endpoint{target_.endpoint.data(), target_.endpoint.size()};
    return provider.table().begin(provider.object(), call, endpoint, seed, session);
}

std::string_view ModelsSession::OnModel(const aim_model_info& model) {
    if (model.id.size == 0) return "a model without an id";
    OfferedModel offered;
    offered.id = Clean(model.id);
    offered.display_name = Clean(model.display_name);
    offered.context_window = Count(model.context_window);
    offered.max_output_tokens = Count(model.max_output_tokens);
    offered.capabilities = Words(Clean(model.capabilities));
    offered.input_price_per_million = Clean(model.input_price_per_million);
    offered.output_price_per_million = Clean(model.output_price_per_million);
    models_.push_back(std::move(offered));
    return {};
}

}  // namespace aim::plugin
