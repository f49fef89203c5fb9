#include "plugins/gemini/contents_writer.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "plugins/common/turn_writer.hpp"

namespace aim::gemini {
namespace {

using native::JsonWriter;
using native::Part;
using native::PartKind;
using native::Refusal;
using native::Speaker;
using sdk::JsonValue;

// Files that the provider fetches by itself; any other address would have to be downloaded by us.
constexpr std::array<std::string_view, 4> kFetchedByGoogle = {
    "https://generativelanguage.googleapis.com/", "gs://", "https://www.youtube.com/",
    "https://youtu.be/"};

std::string_view MediaTypeByName(std::string_view url) {
    url = url.substr(0, url.find('?'));
    constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kTypes = {
        {{".png", "image/png"},
         {".jpg", "image/jpeg"},
         {".jpeg", "image/jpeg"},
         {".webp", "image/webp"},
         {".gif", "image/gif"},
         {".pdf", "application/pdf"}}};
    for (const auto& [ending, type] : kTypes) {
        if (url.size() > ending.size() && url.substr(url.size() - ending.size()) == ending) {
            return type;
        }
    }
    return {};
}

// The signature that came with a message or call, where our answers put it.
std::string_view SignatureOf(JsonValue value) {
    return value["extra_content"]["google"]["thought_signature"].Text();
}

class ContentsWriter final {
  public:
    ContentsWriter(JsonValue messages, const WriteOptions& options, JsonWriter& writer,
                   Refusal& refusal)
        : messages_(messages), options_(options), writer_(writer), refusal_(refusal) {}

    void WriteSystem() {
        bool open = false;
        for (const JsonValue message : messages_) {
            if (native::SpeakerOf(message) != Speaker::kSystem) {
                continue;
            }
            for (const Part& part : native::ReadParts(message["content"])) {
                if (part.kind != PartKind::kText) {
                    refusal_.Set("messages", "system messages can hold text only");
                    continue;
                }
                if (!std::exchange(open, true)) {
                    writer_.Key("systemInstruction").BeginObject().Key("parts").BeginArray();
                }
                writer_.BeginObject().Key("text").Text(part.text).EndObject();
            }
        }
        if (open) {
            writer_.EndArray().EndObject();
        }
    }

    void WriteTurns() {
        writer_.Key("contents").BeginArray();
        native::WriteTurns(messages_, turns_, *this);
        writer_.EndArray();
    }

    // What native::WriteTurns calls.
    void WriteUser(JsonValue message) {
        for (const Part& part : native::ReadParts(message["content"])) {
            turns_.Speak("user");
            WritePart(part);
        }
    }

    void WriteAssistant(JsonValue message) {
        std::vector<Part> parts = native::ReadParts(message["content"]);
        const auto last_text = std::find_if(parts.rbegin(), parts.rend(), [](const Part& part) {
            return part.kind == PartKind::kText;
        });
        const std::string_view signature = SignatureOf(message);
        for (auto part = parts.begin(); part != parts.end(); ++part) {
            turns_.Speak("model");
            const bool signs = last_text != parts.rend() && &*part == &*last_text;
            WritePart(*part, signs ? signature : std::string_view());
        }
        const std::vector<native::ToolCall> calls = native::ReadToolCalls(message);
        bool first = true;
        for (const native::ToolCall& call : calls) {
            turns_.Speak("model");
            call_names_.emplace_back(call.id, call.name);
            writer_.BeginObject().Key("functionCall").BeginObject();
            if (!call.id.empty()) {
                writer_.Key("id").Text(call.id);
            }
            writer_.Key("name").Text(call.name);
            writer_.Key("args").Raw(native::ArgumentsObject(call.arguments)).EndObject();
            std::string_view call_signature = SignatureOf(call.value);
            // Of calls made at once only the first is signed.
            if (call_signature.empty() && first && options_.stand_in_signatures) {
                call_signature = kSkipSignature;
            }
            first = false;
            WriteSignature(call_signature);
            writer_.EndObject();
        }
    }

    // OpenAI's results name the call only by its id, Gemini's by its function.
    void WriteToolResult(JsonValue message) {
        const std::string_view id = message["tool_call_id"].Text();
        std::string_view name = message["name"].Text();
        for (const auto& [known, function] : call_names_) {
            if (known == id && !id.empty()) {
                name = function;
            }
        }
        if (name.empty()) {
            refusal_.Set("messages", "a tool message answers a call that is not in the history");
        }
        turns_.Speak("user");
        writer_.BeginObject().Key("functionResponse").BeginObject();
        if (!id.empty()) {
            writer_.Key("id").Text(id);
        }
        writer_.Key("name").Text(name).Key("response").BeginObject();
        writer_.Key("output").Text(native::JoinedText(message["content"]));
        writer_.EndObject().EndObject().EndObject();
    }

  private:
    void WriteSignature(std::string_view signature) {
        if (!signature.empty()) {
            writer_.Key("thoughtSignature").Text(signature);
        }
    }

    void WritePart(const Part& part, std::string_view signature = {}) {
        if (part.kind == PartKind::kText || part.kind == PartKind::kRefusal) {
            writer_.BeginObject().Key("text").Text(part.text);
            WriteSignature(signature);
            writer_.EndObject();
        } else if (!part.data.empty()) {
            std::string type(part.media_type);
            if (part.kind == PartKind::kAudio) {
                type = "audio/" + type;
            }
            writer_.BeginObject().Key("inlineData").BeginObject();
            writer_.Key("mimeType").Text(type).Key("data").Text(part.data);
            writer_.EndObject().EndObject();
        } else if (!part.url.empty()) {
            WriteFile(part);
        } else {
            refusal_.Set("messages", "a part of a message is of a kind that Gemini does not take");
        }
    }

    void WriteFile(const Part& part) {
        const bool fetched = std::any_of(
            kFetchedByGoogle.begin(), kFetchedByGoogle.end(),
            [&](std::string_view begin) { return part.url.substr(0, begin.size()) == begin; });
        if (!fetched) {
            refusal_.Set("messages",
                         "Gemini does not fetch images from this address: send them as data URIs");
            return;
        }
        writer_.BeginObject().Key("fileData").BeginObject();
        if (const std::string_view type = MediaTypeByName(part.url); !type.empty()) {
            writer_.Key("mimeType").Text(type);
        }
        writer_.Key("fileUri").Text(part.url).EndObject().EndObject();
    }

    JsonValue messages_;
    const WriteOptions& options_;
    JsonWriter& writer_;
    Refusal& refusal_;
    native::TurnWriter turns_{writer_, "parts"};
    std::vector<std::pair<std::string_view, std::string_view>> call_names_;
};

}  // namespace

void WriteContents(JsonValue messages, const WriteOptions& options, JsonWriter& writer,
                   Refusal& refusal) {
    ContentsWriter contents(messages, options, writer, refusal);
    contents.WriteSystem();
    contents.WriteTurns();
}

}  // namespace aim::gemini
