#include "plugins/replicate/request_writer.hpp"

#include <array>
#include <vector>

#include "plugins/common/json_writer.hpp"

namespace aim::replicate {
namespace {

using native::JsonWriter;
using native::Part;
using native::PartKind;
using native::Refusal;
using native::Speaker;
using sdk::JsonValue;

constexpr std::array<std::string_view, 6> kCopied = {
    "temperature", "top_p", "top_k", "seed", "presence_penalty", "frequency_penalty"};

struct Line {
    std::string_view speaker;
    std::string text;
};

// What models with one prompt can be told of a conversation.
struct Conversation {
    std::string system;
    std::vector<Line> lines;
    std::string image;
};

Conversation Read(JsonValue messages, Refusal& refusal) {
    Conversation told;
    for (const JsonValue message : messages) {
        const Speaker speaker = native::SpeakerOf(message);
        if (speaker == Speaker::kTool || !native::ReadToolCalls(message).empty()) {
            refusal.Set("messages", "models on Replicate have no tools");
        }
        std::string text;
        for (const Part& part : native::ReadParts(message["content"])) {
            if (part.kind == PartKind::kText || part.kind == PartKind::kRefusal) {
                text += part.text;
            } else if (part.kind == PartKind::kImage && told.image.empty()) {
                told.image = part.data.empty() ? std::string(part.url)
                                               : "data:" + std::string(part.media_type) +
                                                     ";base64," + std::string(part.data);
            } else {
                refusal.Set("messages", part.kind == PartKind::kImage
                                            ? "this model takes one image"
                                            : "a part of a message is of a kind that models on "
                                              "Replicate do not take");
            }
        }
        if (speaker == Speaker::kSystem) {
            told.system += told.system.empty() ? "" : "\n\n";
            told.system += text;
        } else if (!text.empty()) {
            told.lines.push_back(
                {speaker == Speaker::kAssistant ? "Assistant" : "User", std::move(text)});
        }
    }
    return told;
}

// One question stands for itself; a conversation is written out, with the answer left open.
std::string PromptOf(const Conversation& told) {
    if (told.lines.size() == 1 && told.lines.front().speaker == "User") {
        return told.lines.front().text;
    }
    std::string prompt;
    for (const Line& line : told.lines) {
        prompt.append(line.speaker).append(": ").append(line.text).append("\n\n");
    }
    return prompt + "Assistant:";
}

void RefuseWhatNoModelHas(JsonValue request, Refusal& refusal) {
    native::RefuseCommon(request, false, refusal);
    if (request["tools"].IsArray() && !request["tools"].Empty()) {
        refusal.Set("tools", "models on Replicate have no tools");
    }
    const std::string_view format = request["response_format"]["type"].Text();
    if (format == "json_object" || format == "json_schema") {
        refusal.Set("response_format", "models on Replicate have no JSON mode");
    }
}

void WriteStops(JsonValue request, JsonWriter& writer, Refusal& refusal) {
    const std::vector<std::string_view> stops = native::ReadStops(request);
    if (stops.empty()) {
        return;
    }
    std::string joined;
    for (const std::string_view stop : stops) {
        if (stop.find(',') != stop.npos) {
            refusal.Set("stop", "a stop sequence with a comma cannot be sent to Replicate");
        }
        joined += joined.empty() ? "" : ",";
        joined += stop;
    }
    writer.Key("stop_sequences").Text(joined);
}

}  // namespace

bool WriteRequest(std::string_view canonical, const Settings& settings, std::string_view version,
                  std::string& body, Refusal& refusal) {
    sdk::JsonDocument document;
    sdk::JsonDocument fixed;
    if (!document.Parse(canonical) || !document.Root().IsObject()) {
        return false;
    }
    const JsonValue request = document.Root();
    RefuseWhatNoModelHas(request, refusal);
    body.clear();
    JsonWriter writer(body);
    writer.BeginObject();
    if (!version.empty()) {
        writer.Key("version").Text(version);
    }
    if (request["stream"].IsTrue()) {
        writer.Key("stream").Bool(true);
    }
    writer.Key("input").BeginObject();
    if (settings.messages_field.empty()) {
        const Conversation told = Read(request["messages"], refusal);
        writer.Key("prompt").Text(PromptOf(told));
        if (!told.system.empty()) {
            writer.Key("system_prompt").Text(told.system);
        }
        if (!told.image.empty()) {
            writer.Key(settings.image_field).Text(told.image);
        }
    } else {
        writer.Key(settings.messages_field).Raw(request["messages"].Raw());
    }
    if (const JsonValue limit = native::TokenLimit(request); limit.IsNumber()) {
        writer.Key(settings.max_tokens_field).Raw(limit.Raw());
    }
    for (const std::string_view name : kCopied) {
        if (request[name].IsNumber()) {
            writer.Key(name).Raw(request[name].Raw());
        }
    }
    WriteStops(request, writer, refusal);
    if (fixed.Parse(settings.input)) {
        for (const JsonValue member : fixed.Root()) {
            writer.Raw(member.RawMember());
        }
    }
    writer.EndObject().EndObject();
    return !refusal;
}

}  // namespace aim::replicate
