#include "plugins/common/canonical_chat.hpp"

#include "plugins/common/json_writer.hpp"

namespace aim::native {
namespace {

using sdk::JsonValue;

void TakeUrl(Part& part, std::string_view url) {
    if (const auto data = ReadDataUri(url)) {
        part.media_type = data->first;
        part.data = data->second;
    } else {
        part.url = url;
    }
}

// {"type":"image_url","image_url":{"url"}} and its older form {"image_url":"…"}.
std::string_view UrlOf(JsonValue value) {
    return value.IsString() ? value.Text() : value["url"].Text();
}

Part ReadPart(JsonValue value) {
    Part part;
    part.value = value;
    const std::string_view type = value["type"].Text();
    if (type == "text" || type == "input_text" || type == "output_text") {
        part.kind = PartKind::kText;
        part.text = value["text"].Text();
    } else if (type == "refusal") {
        part.kind = PartKind::kRefusal;
        part.text = value["refusal"].Text();
    } else if (type == "image_url" || type == "input_image") {
        part.kind = PartKind::kImage;
        TakeUrl(part, UrlOf(value["image_url"]));
    } else if (type == "input_audio") {
        part.kind = PartKind::kAudio;
        part.data = value["input_audio"]["data"].Text();
        part.media_type = value["input_audio"]["format"].Text();
    } else if (type == "file" || type == "input_file") {
        part.kind = PartKind::kFile;
        const JsonValue file = value["file"].IsObject() ? value["file"] : value;
        part.name = file["filename"].Text();
        TakeUrl(part, file["file_data"].Text());
    }
    return part;
}

bool IsLetterOrDigit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Letters, digits and `plain` stay.
std::string PercentEncoded(std::string_view text, std::string_view plain) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        if (IsLetterOrDigit(c) || plain.find(c) != plain.npos) {
            encoded.push_back(c);
        } else {
            encoded.push_back('%');
            encoded.push_back(kDigits[(static_cast<unsigned char>(c) >> 4) & 0xf]);
            encoded.push_back(kDigits[static_cast<unsigned char>(c) & 0xf]);
        }
    }
    return encoded;
}

}  // namespace

Speaker SpeakerOf(JsonValue message) {
    const std::string_view role = message["role"].Text();
    if (role == "system" || role == "developer") {
        return Speaker::kSystem;
    }
    if (role == "assistant") {
        return Speaker::kAssistant;
    }
    return role == "tool" || role == "function" ? Speaker::kTool : Speaker::kUser;
}

std::vector<Part> ReadParts(JsonValue content) {
    std::vector<Part> parts;
    if (content.IsString() && !content.Text().empty()) {
        Part part;
        part.kind = PartKind::kText;
        part.text = content.Text();
        parts.push_back(part);
    } else if (content.IsArray()) {
        for (const JsonValue item : content) {
            Part part = ReadPart(item);
            const bool empty_text = part.kind == PartKind::kText && part.text.empty();
            if (!empty_text) {
                parts.push_back(part);
            }
        }
    }
    return parts;
}

std::string JoinedText(JsonValue content) {
    std::string text;
    for (const Part& part : ReadParts(content)) {
        text += part.text;
    }
    return text;
}

std::optional<std::pair<std::string_view, std::string_view>> ReadDataUri(std::string_view url) {
    constexpr std::string_view kScheme = "data:";
    constexpr std::string_view kBase64 = ";base64,";
    if (url.substr(0, kScheme.size()) != kScheme) {
        return std::nullopt;
    }
    const std::size_t comma = url.find(kBase64);
    if (comma == url.npos) {
        return std::nullopt;
    }
    std::string_view media_type = url.substr(kScheme.size(), comma - kScheme.size());
    media_type = media_type.substr(0, media_type.find(';'));
    return std::pair(media_type, url.substr(comma + kBase64.size()));
}

std::vector<ToolCall> ReadToolCalls(JsonValue message) {
    std::vector<ToolCall> calls;
    const auto add = [&](JsonValue item, JsonValue function) {
        ToolCall call;
        call.id = item["id"].Text();
        call.name = function["name"].Text();
        const JsonValue arguments = function["arguments"];
        call.arguments = arguments.IsObject() ? arguments.Raw() : arguments.Text();
        call.value = item;
        calls.push_back(call);
    };
    for (const JsonValue item : message["tool_calls"]) {
        add(item, item["function"]);
    }
    if (calls.empty() && message["function_call"].IsObject()) {
        add(message["function_call"], message["function_call"]);
    }
    return calls;
}

std::string ArgumentsObject(std::string_view arguments) {
    sdk::JsonDocument document;
    if (document.Parse(arguments) && document.Root().IsObject()) {
        return std::string(document.Root().Raw());
    }
    std::string object;
    JsonWriter writer(object);
    writer.BeginObject();
    // What a model wrote wrongly stays visible to it.
    if (arguments.find_first_not_of(" \r\n\t") != arguments.npos) {
        writer.Key("INVALID_JSON").Text(arguments);
    }
    writer.EndObject();
    return object;
}

std::vector<std::string_view> ReadStops(JsonValue request) {
    std::vector<std::string_view> stops;
    const JsonValue stop = request["stop"];
    if (stop.IsString()) {
        stops.push_back(stop.Text());
    }
    if (stop.IsArray()) {
        for (const JsonValue item : stop) {
            if (item.IsString()) {
                stops.push_back(item.Text());
            }
        }
    }
    return stops;
}

JsonValue TokenLimit(JsonValue request) {
    const JsonValue newer = request["max_completion_tokens"];
    return newer.IsNumber() ? newer : request["max_tokens"];
}

std::string_view ReasoningEffort(JsonValue request) {
    const std::string_view effort = request["reasoning_effort"].Text();
    return effort.empty() ? request["reasoning"]["effort"].Text() : effort;
}

void RefuseCommon(JsonValue request, bool choices_allowed, Refusal& refusal) {
    const std::optional<std::int64_t> choices = request["n"].Integer();
    if (!choices_allowed && choices && *choices != 1) {
        refusal.Set("n", "this provider answers with one choice only");
    }
    for (const JsonValue modality : request["modalities"]) {
        if (modality.Text() != "text") {
            refusal.Set("modalities", "this provider answers with text only");
        }
    }
    if (request["audio"].IsObject()) {
        refusal.Set("audio", "this provider answers with text only");
    }
    for (const JsonValue tool : request["tools"]) {
        if (tool["type"].Text() == "custom") {
            refusal.Set("tools", "this provider knows no custom tools, only functions");
        }
    }
    if (request["web_search_options"].IsObject()) {
        refusal.Set("web_search_options", "this provider has no web search by that name");
    }
}

std::string PathEncoded(std::string_view name) {
    return PercentEncoded(name, "-._~/@:!$&'()*+,;=");
}

std::string QueryEncoded(std::string_view value) { return PercentEncoded(value, "-._~"); }

std::int64_t CountAt(JsonValue object, std::string_view name) {
    const std::optional<std::int64_t> number = object[name].Integer();
    return number && *number >= 0 ? *number : -1;
}

}  // namespace aim::native
