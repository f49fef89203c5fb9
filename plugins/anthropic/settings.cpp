#include "plugins/anthropic/settings.hpp"

#include "plugins/common/row_settings.hpp"

namespace aim::anthropic {

Settings ReadSettings(const sdk::Call& call, const sdk::Config& config) {
    const native::RowSettings row(call, config);
    Settings settings;
    settings.default_max_tokens =
        row.Count("default_max_tokens", 1, 1'000'000, settings.default_max_tokens);
    settings.thinking = row.OneOf("thinking", {"effort", "budget"}) == 0 ? ThinkingStyle::kEffort
                                                                         : ThinkingStyle::kBudget;
    const std::size_t sampling = row.OneOf("sampling", {"one", "all", "none"});
    settings.sampling = sampling == 0   ? SamplingStyle::kOne
                        : sampling == 1 ? SamplingStyle::kAll
                                        : SamplingStyle::kNone;
    settings.beta = row.Text("anthropic_beta", "");
    // A brace would begin a slot; betas have none.
    if (settings.beta.find_first_of("{}\r\n") != std::string::npos) {
        call.Fail({sdk::ErrorKind::kInvalidRequest,
                   "the setting anthropic_beta must be a list of names", "invalid_setting",
                   "anthropic_beta"});
    }
    return settings;
}

}  // namespace aim::anthropic
