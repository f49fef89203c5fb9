#include "plugins/cloudflare/settings.hpp"

#include "plugins/common/row_settings.hpp"

namespace aim::cloudflare {

Settings ReadSettings(const sdk::Call& call, const sdk::Config& config) {
    const native::RowSettings row(call, config);
    Settings settings;
    settings.api = row.OneOf("api", {"native", "openai"}) == 0 ? Api::kNative : Api::kOpenAi;
    settings.default_max_tokens =
        row.Count("default_max_tokens", 1, 1'000'000, settings.default_max_tokens);
    settings.account = config.Setting("CLOUDFLARE_ACCOUNT_ID").value_or("");
    return settings;
}

}  // namespace aim::cloudflare
