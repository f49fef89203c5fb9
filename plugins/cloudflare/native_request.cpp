#include "plugins/cloudflare/native_request.hpp"

#include <algorithm>
#include <array>

#include "plugins/common/json_writer.hpp"

namespace aim::cloudflare {
namespace {

using native::JsonWriter;
using native::Part;
using native::PartKind;
using native::Refusal;
using sdk::JsonValue;

constexpr std::array<std::string_view, 15> kCopied = {"temperature",
                                                      "top_p",
                                                      "top_k",
                                                      "seed",
                                                      "repetition_penalty",
                                                      "frequency_penalty",
                                                      "presence_penalty",
                                                      "stop",
                                                      "raw",
                                                      "lora",
                                                      "tools",
                                                      "tool_choice",
                                                      "reasoning_effort",
                                                      "chat_template_kwargs",
                                                      "parallel_tool_calls"};

void RefuseImagesElsewhere(JsonValue content, Refusal& refusal) {
    if (!content.IsArray()) {
        return;
    }
    for (const Part& part : native::ReadParts(content)) {
        if (part.kind == PartKind::kImage && part.data.empty()) {
            refusal.Set("messages", "Workers AI takes images as data URIs only");
        } else if (part.kind != PartKind::kText && part.kind != PartKind::kImage) {
            refusal.Set("messages",
                        "a part of a message is of a kind that Workers AI does not take");
        }
    }
}

void WriteMessage(JsonValue message, JsonWriter& writer, Refusal& refusal) {
    const std::string_view role = message["role"].Text();
    const JsonValue content = message["content"];
    RefuseImagesElsewhere(content, refusal);
    writer.BeginObject();
    writer.Key("role").Text(role == "developer" ? "system" : role);
    // Null is refused.
    writer.Key("content").Raw(content && !content.IsNull() ? content.Raw() : "\"\"");
    for (const std::string_view name : {"name", "tool_call_id", "tool_calls"}) {
        if (const JsonValue value = message[name]; value && !value.IsNull()) {
            writer.Key(name).Raw(value.Raw());
        }
    }
    for (const std::string_view name : {"reasoning", "reasoning_content"}) {
        if (const JsonValue value = message[name]; value.IsString()) {
            writer.Key("reasoning").Raw(value.Raw());
            break;
        }
    }
    writer.EndObject();
}

}  // namespace

bool WriteNativeRequest(std::string_view canonical, std::int64_t max_tokens, std::string& body,
                        Refusal& refusal) {
    sdk::JsonDocument document;
    if (!document.Parse(canonical) || !document.Root().IsObject()) {
        return false;
    }
    const JsonValue request = document.Root();
    native::RefuseCommon(request, false, refusal);
    body.clear();
    body.reserve(canonical.size() + 64);
    JsonWriter writer(body);
    writer.BeginObject();
    writer.Key("messages").BeginArray();
    for (const JsonValue message : request["messages"]) {
        WriteMessage(message, writer, refusal);
    }
    writer.EndArray();
    for (const std::string_view name : kCopied) {
        if (const JsonValue value = request[name]; value && !value.IsNull()) {
            writer.Key(name).Raw(value.Raw());
        }
    }
    writer.Key("max_tokens").Number(max_tokens);
    // The schema itself, without OpenAI's name and strictness around it.
    const JsonValue format = request["response_format"];
    const JsonValue schema = format["json_schema"]["schema"];
    if (format["type"].Text() == "json_object") {
        writer.Key("response_format").BeginObject().Key("type").Text("json_object").EndObject();
    } else if (format["type"].Text() == "json_schema" && schema.IsObject()) {
        writer.Key("response_format").BeginObject().Key("type").Text("json_schema");
        writer.Key("json_schema").Raw(schema.Raw()).EndObject();
    }
    return !refusal;
}

}  // namespace aim::cloudflare
