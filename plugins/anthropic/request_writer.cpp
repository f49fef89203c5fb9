#include "plugins/anthropic/request_writer.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "plugins/common/json_writer.hpp"
#include "plugins/common/turn_writer.hpp"

namespace aim::anthropic {
namespace {

using native::JsonWriter;
using native::Part;
using native::PartKind;
using native::Refusal;
using native::Speaker;
using sdk::JsonValue;

constexpr std::int64_t kLeastBudget = 1024;  // the provider's own

struct Effort {
    std::string_view name;
    std::string_view effort;
    std::int64_t budget;
};
constexpr std::array<Effort, 6> kEfforts = {{{"minimal", "low", 1024},
                                             {"low", "low", 1024},
                                             {"medium", "medium", 4096},
                                             {"high", "high", 16384},
                                             {"xhigh", "xhigh", 32768},
                                             {"max", "max", 32768}}};

class RequestWriter final {
  public:
    RequestWriter(JsonValue request, const Settings& settings, std::string& out, Refusal& refusal)
        : request_(request), settings_(settings), writer_(out), refusal_(refusal) {}

    void Write() {
        DecideThinking();
        writer_.BeginObject();
        writer_.Key("model").Text(request_["model"].Text());
        writer_.Key("max_tokens").Number(max_tokens_);
        WriteSystem();
        WriteMessages();
        if (request_["stream"].IsTrue()) {
            writer_.Key("stream").Bool(true);
        }
        WriteSampling();
        WriteTools();
        WriteThinking();
        WriteOutput();
        if (const JsonValue user = request_["user"]; user.IsString()) {
            writer_.Key("metadata").BeginObject().Key("user_id").Raw(user.Raw()).EndObject();
        }
        WriteServiceTier();
        writer_.EndObject();
    }

  private:
    // The limit counts thoughts too, so a budget is added to a limit that nobody gave and has to
    // stay below one that somebody did.
    void DecideThinking() {
        const std::optional<std::int64_t> limit = native::TokenLimit(request_).Integer();
        max_tokens_ = limit.value_or(settings_.default_max_tokens);
        const JsonValue own = request_["thinking"];
        if (own.IsObject()) {
            thinking_ = own.Raw();
            thinks_ = own["type"].Text() != "disabled";
            const std::int64_t budget = native::CountAt(own, "budget_tokens");
            if (!limit && budget >= max_tokens_) {
                max_tokens_ += budget;
            }
            return;
        }
        const std::string_view name = native::ReasoningEffort(request_);
        if (name.empty() || name == "none") {
            return;
        }
        const auto effort =
            std::find_if(kEfforts.begin(), kEfforts.end(),
                         [&](const Effort& candidate) { return candidate.name == name; });
        if (effort == kEfforts.end()) {
            refusal_.Set("reasoning_effort", "no reasoning effort of that name");
            return;
        }
        if (settings_.thinking == ThinkingStyle::kEffort) {
            effort_ = effort->effort;
            thinking_ = R"({"type":"adaptive"})";
            thinks_ = true;
            return;
        }
        std::int64_t budget = effort->budget;
        if (limit) {
            budget = std::min(budget, *limit - 1);
        } else {
            max_tokens_ += budget;
        }
        if (budget >= kLeastBudget) {
            thinking_ = R"({"type":"enabled","budget_tokens":)" + std::to_string(budget) + "}";
            thinks_ = true;
        }
    }

    void WriteSystem() {
        std::vector<Part> parts;
        for (const JsonValue message : request_["messages"]) {
            if (native::SpeakerOf(message) == Speaker::kSystem) {
                const std::vector<Part> more = native::ReadParts(message["content"]);
                parts.insert(parts.end(), more.begin(), more.end());
            }
        }
        if (parts.empty()) {
            return;
        }
        writer_.Key("system");
        if (parts.size() == 1 && !parts.front().value) {
            writer_.Text(parts.front().text);
            return;
        }
        writer_.BeginArray();
        for (const Part& part : parts) {
            if (part.kind == PartKind::kText) {
                WritePart(part);
            } else {
                refusal_.Set("messages", "system messages can hold text only");
            }
        }
        writer_.EndArray();
    }

    // The results of all calls of a turn stand in one user message, before its text.
    void WriteMessages() {
        writer_.Key("messages").BeginArray();
        native::WriteTurns(request_["messages"], turns_, *this);
        writer_.EndArray();
    }

  public:  // what native::WriteTurns calls
    void WriteUser(JsonValue message) {
        for (const Part& part : native::ReadParts(message["content"])) {
            turns_.Speak("user");
            WritePart(part);
        }
    }

    // Thinking goes back first, as it came and with its signatures.
    void WriteAssistant(JsonValue message) {
        for (const JsonValue block : message["thinking_blocks"]) {
            const std::string_view type = block["type"].Text();
            const bool known = (type == "thinking" && block["signature"].IsString()) ||
                               (type == "redacted_thinking" && block["data"].IsString());
            if (known) {
                turns_.Speak("assistant");
                writer_.Raw(block.Raw());
            }
        }
        for (const Part& part : native::ReadParts(message["content"])) {
            turns_.Speak("assistant");
            WritePart(part);
        }
        for (const native::ToolCall& call : native::ReadToolCalls(message)) {
            turns_.Speak("assistant");
            writer_.BeginObject().Key("type").Text("tool_use");
            writer_.Key("id").Text(call.id).Key("name").Text(call.name);
            writer_.Key("input").Raw(native::ArgumentsObject(call.arguments)).EndObject();
        }
    }

    void WriteToolResult(JsonValue message) {
        turns_.Speak("user");
        writer_.BeginObject().Key("type").Text("tool_result");
        writer_.Key("tool_use_id").Text(message["tool_call_id"].Text());
        const std::vector<Part> parts = native::ReadParts(message["content"]);
        if (parts.size() == 1 && !parts.front().value) {
            writer_.Key("content").Text(parts.front().text);
        } else if (!parts.empty()) {
            writer_.Key("content").BeginArray();
            for (const Part& part : parts) {
                WritePart(part);
            }
            writer_.EndArray();
        }
        if (message["is_error"].IsTrue()) {
            writer_.Key("is_error").Bool(true);
        }
        writer_.EndObject();
    }

  private:
    // Some clients mark what shall be cached.
    void WriteCacheControl(JsonValue holder) {
        if (const JsonValue control = holder["cache_control"]; control.IsObject()) {
            writer_.Key("cache_control").Raw(control.Raw());
        }
    }

    void WritePart(const Part& part) {
        if (part.kind == PartKind::kText || part.kind == PartKind::kRefusal) {
            writer_.BeginObject().Key("type").Text("text").Key("text").Text(part.text);
        } else if (part.kind == PartKind::kImage && (!part.data.empty() || !part.url.empty())) {
            WriteSource("image", part);
        } else if (part.kind == PartKind::kFile && (!part.data.empty() || !part.url.empty())) {
            WriteSource("document", part);
        } else {
            refusal_.Set("messages",
                         "a part of a message is of a kind that Anthropic does not take");
            return;
        }
        WriteCacheControl(part.value);
        writer_.EndObject();
    }

    void WriteSource(std::string_view type, const Part& part) {
        writer_.BeginObject().Key("type").Text(type).Key("source").BeginObject();
        if (part.data.empty()) {
            writer_.Key("type").Text("url").Key("url").Text(part.url);
        } else {
            writer_.Key("type").Text("base64").Key("media_type").Text(part.media_type);
            writer_.Key("data").Text(part.data);
        }
        writer_.EndObject();
        if (type == "document" && !part.name.empty()) {
            writer_.Key("title").Text(part.name);
        }
    }

    void WriteSampling() {
        const std::vector<std::string_view> stops = native::ReadStops(request_);
        if (!stops.empty()) {
            writer_.Key("stop_sequences").BeginArray();
            for (const std::string_view stop : stops) {
                writer_.Text(stop);
            }
            writer_.EndArray();
        }
        if (settings_.sampling == SamplingStyle::kNone) {
            return;
        }
        const JsonValue temperature = request_["temperature"];
        const JsonValue top_p = request_["top_p"];
        const JsonValue top_k = request_["top_k"];
        bool given = false;
        if (temperature.IsNumber() && !thinks_) {
            // From 0 to 1 there, from 0 to 2 in the canonical request.
            const bool too_high = temperature.Number().value_or(0) > 1;
            writer_.Key("temperature").Raw(too_high ? std::string_view("1") : temperature.Raw());
            given = true;
        }
        const bool more = settings_.sampling == SamplingStyle::kAll;
        if (top_p.IsNumber() && (more || !given)) {
            writer_.Key("top_p").Raw(top_p.Raw());
            given = true;
        }
        if (top_k.IsNumber() && !thinks_ && (more || !given)) {
            writer_.Key("top_k").Raw(top_k.Raw());
        }
    }

    void WriteTools() {
        const JsonValue tools = request_["tools"];
        if (!tools.IsArray() || tools.Empty()) {
            return;
        }
        writer_.Key("tools").BeginArray();
        for (const JsonValue tool : tools) {
            const JsonValue function = tool["function"];
            if (!function.IsObject()) {  // Anthropic's own tools go over as they are
                writer_.Raw(tool.Raw());
                continue;
            }
            writer_.BeginObject().Key("name").Text(function["name"].Text());
            if (function["description"].IsString()) {
                writer_.Key("description").Raw(function["description"].Raw());
            }
            const JsonValue parameters = function["parameters"];
            writer_.Key("input_schema")
                .Raw(parameters.IsObject() && !parameters.Empty()
                         ? parameters.Raw()
                         : R"({"type":"object","properties":{}})");
            if (function["strict"].IsTrue()) {
                writer_.Key("strict").Bool(true);
            }
            WriteCacheControl(tool);
            writer_.EndObject();
        }
        writer_.EndArray();
        WriteToolChoice();
    }

    void WriteToolChoice() {
        const JsonValue choice = request_["tool_choice"];
        const bool one_at_a_time = request_["parallel_tool_calls"].Type() == sdk::JsonType::kFalse;
        std::string_view type;
        std::string_view name;
        if (choice.IsString()) {
            type = choice.Text() == "required" || choice.Text() == "any" ? "any"
                   : choice.Text() == "none"                             ? "none"
                                                                         : "auto";
        } else if (choice["function"].IsObject()) {
            type = "tool";
            name = choice["function"]["name"].Text();
        } else if (choice.IsObject()) {
            refusal_.Set("tool_choice", "Anthropic knows auto, required, none and one function");
        } else if (one_at_a_time) {
            type = "auto";
        }
        if (type.empty()) {
            return;
        }
        writer_.Key("tool_choice").BeginObject().Key("type").Text(type);
        if (!name.empty()) {
            writer_.Key("name").Text(name);
        }
        if (one_at_a_time && type != "none") {
            writer_.Key("disable_parallel_tool_use").Bool(true);
        }
        writer_.EndObject();
    }

    void WriteThinking() {
        if (!thinking_.empty()) {
            writer_.Key("thinking").Raw(thinking_);
        }
    }

    void WriteOutput() {
        const JsonValue format = request_["response_format"];
        const std::string_view type = format["type"].Text();
        const JsonValue schema = format["json_schema"]["schema"];
        if (type == "json_object" || (type == "json_schema" && !schema.IsObject())) {
            refusal_.Set("response_format", "Anthropic has JSON by a schema only");
        }
        const bool has_schema = type == "json_schema" && schema.IsObject();
        if (!has_schema && effort_.empty()) {
            return;
        }
        writer_.Key("output_config").BeginObject();
        if (!effort_.empty()) {
            writer_.Key("effort").Text(effort_);
        }
        if (has_schema) {
            writer_.Key("format").BeginObject().Key("type").Text("json_schema");
            writer_.Key("schema").Raw(schema.Raw()).EndObject();
        }
        writer_.EndObject();
    }

    // OpenAI's tiers in Anthropic's words; the others mean nothing there.
    void WriteServiceTier() {
        const std::string_view tier = request_["service_tier"].Text();
        if (tier == "auto" || tier == "standard_only") {
            writer_.Key("service_tier").Text(tier);
        } else if (tier == "default") {
            writer_.Key("service_tier").Text("standard_only");
        }
    }

    JsonValue request_;
    const Settings& settings_;
    JsonWriter writer_;
    Refusal& refusal_;
    native::TurnWriter turns_{writer_, "content"};
    std::int64_t max_tokens_ = 0;
    std::string thinking_;
    std::string_view effort_;
    bool thinks_ = false;
};

}  // namespace

bool WriteRequest(std::string_view canonical, const Settings& settings, std::string& body,
                  Refusal& refusal) {
    sdk::JsonDocument document;
    if (!document.Parse(canonical) || !document.Root().IsObject()) {
        return false;
    }
    native::RefuseCommon(document.Root(), false, refusal);
    body.clear();
    body.reserve(canonical.size() + 256);
    RequestWriter(document.Root(), settings, body, refusal).Write();
    return !refusal;
}

}  // namespace aim::anthropic
