#include "plugins/gemini/schema_writer.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "plugins/common/json_writer.hpp"

namespace aim::gemini {
namespace {

using native::JsonWriter;
using sdk::JsonValue;

// A schema that refers to itself would be endless, one that refers widely would be huge.
constexpr int kMaxDepth = 32;
constexpr std::size_t kMaxBytes = 64 * 1024;

// Copied as they stand.
constexpr std::array<std::string_view, 14> kCopied = {
    "title",    "description",   "format",        "default", "minimum",
    "maximum",  "minLength",     "maxLength",     "pattern", "minItems",
    "maxItems", "minProperties", "maxProperties", "required"};

class SchemaWriter final {
  public:
    SchemaWriter(JsonValue root, std::string& out) : root_(root), out_(out), writer_(out) {}

    void Write(JsonValue schema, int depth) {
        schema = Resolve(schema);
        if (depth > kMaxDepth || out_.size() > kMaxBytes || !schema.IsObject()) {
            writer_.BeginObject().Key("type").Text("object").EndObject();
            return;
        }
        writer_.BeginObject();
        WriteType(schema, depth);
        for (const JsonValue member : schema) {
            WriteMember(schema, member, depth);
        }
        writer_.EndObject();
    }

  private:
    // "#/$defs/name" and its older spelling; anything else is not known here.
    JsonValue Resolve(JsonValue schema) const {
        for (int hops = 0; hops < 8 && schema["$ref"].IsString(); ++hops) {
            std::string_view pointer = schema["$ref"].Text();
            JsonValue target = root_;
            if (pointer.substr(0, 2) != "#/") {
                return {};
            }
            pointer.remove_prefix(2);
            while (!pointer.empty()) {
                const std::size_t end = std::min(pointer.find('/'), pointer.size());
                target = target[pointer.substr(0, end)];
                pointer.remove_prefix(std::min(end + 1, pointer.size()));
            }
            schema = target;
        }
        return schema["$ref"].IsString() ? JsonValue() : schema;
    }

    void WriteType(JsonValue schema, int depth) {
        const JsonValue type = schema["type"];
        if (type.IsString()) {
            writer_.Key("type").Raw(type.Raw());
            return;
        }
        if (!type.IsArray()) {
            return;
        }
        std::vector<JsonValue> types;
        bool nullable = false;
        for (const JsonValue item : type) {
            nullable = nullable || item.Text() == "null";
            if (item.IsString() && item.Text() != "null") {
                types.push_back(item);
            }
        }
        if (nullable) {
            writer_.Key("nullable").Bool(true);
        }
        if (types.size() == 1) {
            writer_.Key("type").Raw(types.front().Raw());
        } else if (!types.empty() && depth < kMaxDepth && !schema["anyOf"]) {
            writer_.Key("anyOf").BeginArray();
            for (const JsonValue item : types) {
                writer_.BeginObject().Key("type").Raw(item.Raw()).EndObject();
            }
            writer_.EndArray();
        }
    }

    void WriteMember(JsonValue schema, JsonValue member, int depth) {
        const std::string_view name = member.Key();
        if (std::find(kCopied.begin(), kCopied.end(), name) != kCopied.end()) {
            writer_.Raw(member.RawMember());
        } else if (name == "enum" && member.IsArray()) {
            WriteEnum(member);
        } else if (name == "const" && !schema["enum"]) {
            writer_.Key("enum").BeginArray();
            WriteEnumValue(member);
            writer_.EndArray();
        } else if (name == "items" && member.IsObject()) {
            writer_.Key("items");
            Write(member, depth + 1);
        } else if (name == "properties" && member.IsObject()) {
            writer_.Key("properties").BeginObject();
            for (const JsonValue property : member) {
                writer_.Key(property.Key());
                Write(property, depth + 1);
            }
            writer_.EndObject();
        } else if ((name == "anyOf" || (name == "oneOf" && !schema["anyOf"])) && member.IsArray()) {
            WriteAlternatives(member, depth);
        }
    }

    // Texts only, in that dialect.
    void WriteEnum(JsonValue values) {
        writer_.Key("enum").BeginArray();
        for (const JsonValue value : values) {
            if (!value.IsNull()) {
                WriteEnumValue(value);
            }
        }
        writer_.EndArray();
    }
    void WriteEnumValue(JsonValue value) {
        if (value.IsString()) {
            writer_.Raw(value.Raw());
        } else {
            writer_.Text(value.Raw());
        }
    }

    void WriteAlternatives(JsonValue alternatives, int depth) {
        bool nullable = false;
        writer_.Key("anyOf").BeginArray();
        for (const JsonValue item : alternatives) {
            if (item["type"].Text() == "null") {
                nullable = true;
            } else {
                Write(item, depth + 1);
            }
        }
        writer_.EndArray();
        if (nullable) {
            writer_.Key("nullable").Bool(true);
        }
    }

    JsonValue root_;
    std::string& out_;
    JsonWriter writer_;
};

}  // namespace

void AppendOpenApiSchema(sdk::JsonValue schema, std::string& out) {
    SchemaWriter(schema, out).Write(schema, 0);
}

}  // namespace aim::gemini
