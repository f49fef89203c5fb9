#include "plugins/gemini/error_reader.hpp"

#include <string>

#include <gtest/gtest.h>

#include "aim/sdk/json.hpp"
#include "plugins/gemini/schema_writer.hpp"

namespace aim::gemini {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;

TEST(PacificMidnight, KnowsDaylightSaving) {
    const struct {
        const char* when;
        std::uint64_t unix_seconds;
        std::int64_t hours;
    } cases[] = {
        {"2026-01-15T00:00Z, 16:00 there", 1768435200, 8},
        {"2026-07-15T00:00Z, 17:00 there", 1784073600, 7},
        {"2026-03-08T09:00Z, 01:00 there, an hour before the change", 1772960400, 23},
        {"2026-03-08T10:00Z, 03:00 there, just changed", 1772964000, 21},
        {"2026-11-01T08:00Z, 01:00 there, an hour before the change", 1793520000, 23},
        {"2026-11-01T09:00Z, 01:00 there again", 1793523600, 23},
        {"2026-11-02T08:00Z, midnight there", 1793606400, 24},
    };
    for (const auto& tested : cases) {
        EXPECT_EQ(MsUntilPacificMidnight(tested.unix_seconds * 1000), tested.hours * kHourMs)
            << tested.when;
    }
}

std::string OpenApi(std::string_view schema) {
    sdk::JsonDocument document;
    EXPECT_TRUE(document.Parse(schema));
    std::string out;
    AppendOpenApiSchema(document.Root(), out);
    return out;
}

TEST(OpenApiSchema, EndsWhereASchemaRefersToItself) {
    const std::string out = OpenApi(
        R"({"type":"object","properties":{"next":{"$ref":"#"}},"additionalProperties":true})");
    sdk::JsonDocument document;
    EXPECT_TRUE(document.Parse(out, 200)) << out;
    EXPECT_LT(out.size(), 4096U);
    // A reference that leads to itself, one that leads nowhere, one to elsewhere.
    for (const char* schema : {R"({"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/a"}}})",
                               R"({"$ref":"#/$defs/none"})", R"({"$ref":"https://a.example/s"})"}) {
        EXPECT_EQ(OpenApi(schema), R"({"type":"object"})") << schema;
    }
}

TEST(OpenApiSchema, StaysSmallWhenReferencesMultiply) {
    std::string schema = R"({"type":"object","properties":{"a":{"$ref":"#/$defs/d0"}},"$defs":{)";
    for (int i = 0; i < 30; ++i) {
        const std::string next = R"({"$ref":"#/$defs/d)" + std::to_string(i + 1) + "\"}";
        schema += "\"d" + std::to_string(i) + R"(":{"type":"object","properties":{"x":)" + next +
                  R"(,"y":)" + next + "}},";
    }
    schema += R"("d30":{"type":"string"}}})";
    const std::string out = OpenApi(schema);
    EXPECT_LT(out.size(), 1024U * 1024U);
    sdk::JsonDocument document;
    EXPECT_TRUE(document.Parse(out, 200));
}

}  // namespace
}  // namespace aim::gemini
