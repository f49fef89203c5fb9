// The row settings of a Gemini model.
#pragma once

#include <string>

#include "aim/sdk/session.hpp"

namespace aim::gemini {

// How a reasoning effort is said: 3.x models take a level, 2.5 ones a budget of tokens.
enum class ThinkingStyle { kLevel, kBudget };

// Which of the two fields carries a schema: JSON Schema as it came, or the OpenAPI subset that
// older models know.
enum class SchemaStyle { kJsonSchema, kOpenApi };

struct Settings {
    ThinkingStyle thinking = ThinkingStyle::kLevel;
    SchemaStyle schema = SchemaStyle::kJsonSchema;
    std::string safety_settings;  // JSON array, empty = the provider's defaults
};

// What they are when call.Failed() is not true afterwards.
Settings ReadSettings(const sdk::Call& call, const sdk::Config& config);

inline constexpr std::string_view kSettingsSchema =
    R"({"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{)"
    R"("thinking":{"enum":["level","budget"],"default":"level"},)"
    R"("schema":{"enum":["json_schema","openapi"],"default":"json_schema"},)"
    R"("safety_settings":{"type":"array","items":{"type":"object"}}}})";

}  // namespace aim::gemini
