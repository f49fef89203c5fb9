#include "plugins/gemini/settings.hpp"

#include "plugins/common/row_settings.hpp"

namespace aim::gemini {

Settings ReadSettings(const sdk::Call& call, const sdk::Config& config) {
    const native::RowSettings row(call, config);
    Settings settings;
    settings.thinking = row.OneOf("thinking", {"level", "budget"}) == 0 ? ThinkingStyle::kLevel
                                                                        : ThinkingStyle::kBudget;
    settings.schema = row.OneOf("schema", {"json_schema", "openapi"}) == 0
                          ? SchemaStyle::kJsonSchema
                          : SchemaStyle::kOpenApi;
    settings.safety_settings = row.Json("safety_settings", sdk::JsonType::kArray);
    return settings;
}

}  // namespace aim::gemini
