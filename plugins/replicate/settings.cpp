#include "plugins/replicate/settings.hpp"

#include "plugins/common/row_settings.hpp"

namespace aim::replicate {

Settings ReadSettings(const sdk::Call& call, const sdk::Config& config) {
    const native::RowSettings row(call, config);
    Settings settings;
    settings.wait_seconds = row.Count("wait_seconds", 0, 60, settings.wait_seconds);
    settings.cancel_after_seconds =
        row.Count("cancel_after_seconds", 5, 86'400, settings.cancel_after_seconds);
    settings.max_tokens_field = row.Text("max_tokens_field", settings.max_tokens_field);
    settings.image_field = row.Text("image_field", settings.image_field);
    settings.messages_field = row.Text("messages_field", "");
    settings.input = row.Json("input", sdk::JsonType::kObject);
    return settings;
}

}  // namespace aim::replicate
