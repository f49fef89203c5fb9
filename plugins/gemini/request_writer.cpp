#include "plugins/gemini/request_writer.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "plugins/common/json_writer.hpp"
#include "plugins/gemini/schema_writer.hpp"

namespace aim::gemini {
namespace {

using native::JsonWriter;
using native::Part;
using native::PartKind;
using native::Refusal;
using sdk::JsonValue;

// Fields of generationConfig whose value goes over as it stands.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kConfigFields = {{
    {"temperature", "temperature"},
    {"top_p", "topP"},
    {"top_k", "topK"},
    {"seed", "seed"},
    {"n", "candidateCount"},
    {"presence_penalty", "presencePenalty"},
    {"frequency_penalty", "frequencyPenalty"},
    {"top_logprobs", "logprobs"},
}};

struct Effort {
    std::string_view name;
    std::string_view level;
    std::int64_t budget;
};
// Google's own mapping of OpenAI's efforts to budgets, for its OpenAI-compatible endpoint.
constexpr std::array<Effort, 7> kEfforts = {{{"none", "MINIMAL", 0},
                                             {"minimal", "MINIMAL", 1024},
                                             {"low", "LOW", 1024},
                                             {"medium", "MEDIUM", 8192},
                                             {"high", "HIGH", 24576},
                                             {"xhigh", "HIGH", 24576},
                                             {"max", "HIGH", 24576}}};

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

// The caller's own Google fields: `google`, or `extra_body.google` as some clients send it.
JsonValue GoogleField(JsonValue request, std::string_view snake, std::string_view camel) {
    JsonValue google = request["google"];
    if (!google.IsObject()) {
        google = request["extra_body"]["google"];
    }
    return google[snake] ? google[snake] : google[camel];
}

class RequestWriter final {
  public:
    RequestWriter(JsonValue request, const Settings& settings, const WriteOptions& options,
                  std::string& out, Refusal& refusal)
        : request_(request),
          settings_(settings),
          options_(options),
          writer_(out),
          refusal_(refusal) {}

    void Write() {
        writer_.BeginObject();
        WriteSystem();
        WriteContents();
        WriteTools();
        WriteSafety();
        WriteConfig();
        writer_.EndObject();
    }

  private:
    static bool IsSystem(JsonValue message) {
        return message["role"].Text() == "system" || message["role"].Text() == "developer";
    }

    void WriteSystem() {
        bool open = false;
        for (const JsonValue message : request_["messages"]) {
            if (!IsSystem(message)) {
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

    // Turns alternate between `user` and `model`: neighbours of one role become one turn.
    void Turn(std::string_view role) {
        if (role == role_) {
            return;
        }
        EndTurn();
        role_ = role;
        writer_.BeginObject().Key("role").Text(role).Key("parts").BeginArray();
    }
    void EndTurn() {
        if (!role_.empty()) {
            writer_.EndArray().EndObject();
        }
        role_ = {};
    }

    void WriteContents() {
        writer_.Key("contents").BeginArray();
        for (const JsonValue message : request_["messages"]) {
            const std::string_view role = message["role"].Text();
            if (IsSystem(message)) {
                continue;
            }
            if (role == "assistant") {
                WriteAssistant(message);
            } else if (role == "tool" || role == "function") {
                WriteToolResult(message);
            } else {
                for (const Part& part : native::ReadParts(message["content"])) {
                    Turn("user");
                    WritePart(part);
                }
            }
        }
        EndTurn();
        writer_.EndArray();
    }

    void WriteAssistant(JsonValue message) {
        std::vector<Part> parts = native::ReadParts(message["content"]);
        const auto last_text = std::find_if(parts.rbegin(), parts.rend(), [](const Part& part) {
            return part.kind == PartKind::kText;
        });
        const std::string_view signature = SignatureOf(message);
        for (auto part = parts.begin(); part != parts.end(); ++part) {
            Turn("model");
            const bool signs = last_text != parts.rend() && &*part == &*last_text;
            WritePart(*part, signs ? signature : std::string_view());
        }
        const std::vector<native::ToolCall> calls = native::ReadToolCalls(message);
        bool first = true;
        for (const native::ToolCall& call : calls) {
            Turn("model");
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
        Turn("user");
        writer_.BeginObject().Key("functionResponse").BeginObject();
        if (!id.empty()) {
            writer_.Key("id").Text(id);
        }
        writer_.Key("name").Text(name).Key("response").BeginObject();
        writer_.Key("output").Text(native::JoinedText(message["content"]));
        writer_.EndObject().EndObject().EndObject();
    }

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

    void WriteSchema(std::string_view json_name, std::string_view openapi_name, JsonValue schema) {
        if (settings_.schema == SchemaStyle::kJsonSchema) {
            writer_.Key(json_name).Raw(schema.Raw());
        } else {
            std::string text;
            AppendOpenApiSchema(schema, text);
            writer_.Key(openapi_name).Raw(text);
        }
    }

    void WriteTools() {
        bool functions = false;
        bool any = false;
        for (const JsonValue tool : request_["tools"]) {
            const JsonValue function = tool["function"];
            if (!function.IsObject()) {
                continue;
            }
            if (!std::exchange(functions, true)) {
                writer_.Key("tools").BeginArray().BeginObject();
                writer_.Key("functionDeclarations").BeginArray();
                any = true;
            }
            writer_.BeginObject().Key("name").Text(function["name"].Text());
            if (function["description"].IsString()) {
                writer_.Key("description").Raw(function["description"].Raw());
            }
            if (function["parameters"].IsObject()) {
                WriteSchema("parametersJsonSchema", "parameters", function["parameters"]);
            }
            writer_.EndObject();
        }
        if (functions) {
            writer_.EndArray().EndObject();
        }
        // Google's own tools ({"google_search":{}}) come without a type and go over as they are.
        for (const JsonValue tool : request_["tools"]) {
            if (tool.IsObject() && !tool["type"] && !tool["function"]) {
                if (!std::exchange(any, true)) {
                    writer_.Key("tools").BeginArray();
                }
                writer_.Raw(tool.Raw());
            }
        }
        if (any) {
            writer_.EndArray();
        }
        if (functions) {
            WriteToolChoice();
        }
    }

    void WriteToolChoice() {
        const JsonValue choice = request_["tool_choice"];
        std::string_view mode;
        std::vector<std::string_view> names;
        if (choice.IsString()) {
            mode = choice.Text() == "none"                                 ? "NONE"
                   : choice.Text() == "required" || choice.Text() == "any" ? "ANY"
                                                                           : "AUTO";
        } else if (choice["type"].Text() == "allowed_tools") {
            const JsonValue allowed = choice["allowed_tools"];
            mode = allowed["mode"].Text() == "required" ? "ANY" : "VALIDATED";
            for (const JsonValue tool : allowed["tools"]) {
                names.push_back(tool["function"]["name"].Text());
            }
        } else if (choice["function"].IsObject()) {
            mode = "ANY";
            names.push_back(choice["function"]["name"].Text());
        }
        if (mode.empty()) {
            return;
        }
        writer_.Key("toolConfig").BeginObject().Key("functionCallingConfig").BeginObject();
        writer_.Key("mode").Text(mode);
        if (!names.empty()) {
            writer_.Key("allowedFunctionNames").BeginArray();
            for (const std::string_view name : names) {
                writer_.Text(name);
            }
            writer_.EndArray();
        }
        writer_.EndObject().EndObject();
    }

    void WriteSafety() {
        const JsonValue given = GoogleField(request_, "safety_settings", "safetySettings");
        if (given.IsArray()) {
            writer_.Key("safetySettings").Raw(given.Raw());
        } else if (!settings_.safety_settings.empty()) {
            writer_.Key("safetySettings").Raw(settings_.safety_settings);
        }
        const JsonValue cached = GoogleField(request_, "cached_content", "cachedContent");
        if (cached.IsString()) {
            writer_.Key("cachedContent").Raw(cached.Raw());
        }
    }

    void WriteConfig() {
        std::string config;
        JsonWriter members(config);
        members.BeginObject();
        for (const auto& [from, to] : kConfigFields) {
            if (request_[from].IsNumber()) {
                members.Key(to).Raw(request_[from].Raw());
            }
        }
        const JsonValue newer = request_["max_completion_tokens"];
        const JsonValue limit = newer.IsNumber() ? newer : request_["max_tokens"];
        if (limit.IsNumber()) {
            members.Key("maxOutputTokens").Raw(limit.Raw());
        }
        if (request_["logprobs"].IsTrue()) {
            members.Key("responseLogprobs").Bool(true);
        }
        const std::vector<std::string_view> stops = native::ReadStops(request_);
        if (!stops.empty()) {
            members.Key("stopSequences").BeginArray();
            for (const std::string_view stop : stops) {
                members.Text(stop);
            }
            members.EndArray();
        }
        WriteFormat(members);
        WriteThinking(members);
        members.EndObject();
        if (config != "{}") {
            writer_.Key("generationConfig").Raw(config);
        }
    }

    void WriteFormat(JsonWriter& members) {
        const JsonValue format = request_["response_format"];
        const std::string_view type = format["type"].Text();
        if (type != "json_object" && type != "json_schema") {
            return;
        }
        members.Key("responseMimeType").Text("application/json");
        const JsonValue schema = format["json_schema"]["schema"];
        if (!schema.IsObject()) {
            return;
        }
        if (settings_.schema == SchemaStyle::kJsonSchema) {
            members.Key("responseJsonSchema").Raw(schema.Raw());
        } else {
            std::string text;
            AppendOpenApiSchema(schema, text);
            members.Key("responseSchema").Raw(text);
        }
    }

    // Budget and level exclude each other. Nothing is sent unless somebody asked: models that do
    // not think refuse the field.
    void WriteThinking(JsonWriter& members) {
        const JsonValue own = GoogleField(request_, "thinking_config", "thinkingConfig");
        if (own.IsObject()) {
            members.Key("thinkingConfig").Raw(own.Raw());
            return;
        }
        const std::string_view name = native::ReasoningEffort(request_);
        const auto effort =
            std::find_if(kEfforts.begin(), kEfforts.end(),
                         [&](const Effort& candidate) { return candidate.name == name; });
        if (name.empty()) {
            return;
        }
        if (effort == kEfforts.end()) {
            refusal_.Set("reasoning_effort", "no reasoning effort of that name");
            return;
        }
        members.Key("thinkingConfig").BeginObject();
        if (settings_.thinking == ThinkingStyle::kLevel) {
            members.Key("thinkingLevel").Text(effort->level);
        } else {
            members.Key("thinkingBudget").Number(effort->budget);
        }
        members.Key("includeThoughts").Bool(name != "none").EndObject();
    }

    JsonValue request_;
    const Settings& settings_;
    const WriteOptions& options_;
    JsonWriter writer_;
    Refusal& refusal_;
    std::string_view role_;
    std::vector<std::pair<std::string_view, std::string_view>> call_names_;
};

}  // namespace

bool WriteRequest(std::string_view canonical, const Settings& settings, const WriteOptions& options,
                  std::string& body, Refusal& refusal) {
    sdk::JsonDocument document;
    if (!document.Parse(canonical) || !document.Root().IsObject()) {
        return false;
    }
    const JsonValue request = document.Root();
    native::RefuseCommon(request, true, refusal);
    body.clear();
    body.reserve(canonical.size() + 256);
    RequestWriter(request, settings, options, body, refusal).Write();
    return !refusal;
}

}  // namespace aim::gemini
