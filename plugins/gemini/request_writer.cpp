#include "plugins/gemini/request_writer.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "plugins/common/json_writer.hpp"
#include "plugins/gemini/contents_writer.hpp"
#include "plugins/gemini/schema_writer.hpp"

namespace aim::gemini {
namespace {

using native::JsonWriter;
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
        WriteContents(request_["messages"], options_, writer_, refusal_);
        WriteTools();
        WriteSafety();
        WriteConfig();
        writer_.EndObject();
    }

  private:
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
        if (const JsonValue limit = native::TokenLimit(request_); limit.IsNumber()) {
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
