#include "services/cli/kit/prompt.hpp"

#include <stdexcept>

#include "core/dialect/openai_chat.hpp"
#include "core/plugin/abi_text.hpp"

namespace aim::cli::kit {
namespace {

struct Shape {
    const char* name;
    const char* members;
};

// The members behind `model` and `stream`.
constexpr Shape kShapes[] = {
    {"minimal", R"("messages":[{"role":"user","content":"ping"}])"},
    {"all-fields",
     R"("messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Weather?","name":"anna"}],
"temperature":0.7,"top_p":0.9,"max_tokens":64,"max_completion_tokens":64,"stop":["END","STOP"],"n":1,"seed":7,
"presence_penalty":0.1,"frequency_penalty":-0.1,"logit_bias":{"50256":-100},"logprobs":false,"user":"u-1",
"parallel_tool_calls":false,"tool_choice":"auto","tools":[{"type":"function","function":{"name":"weather",
"description":"Weather of a place.","parameters":{"type":"object","properties":{"place":{"type":"string"}},"required":["place"]}}}])"},
    {"tool-turns",
     R"("messages":[{"role":"user","content":"Weather?"},{"role":"assistant","content":null,"tool_calls":[{"id":"call_1",
"type":"function","function":{"name":"weather","arguments":"{\"place\":\"Riga\"}"}}]},{"role":"tool","tool_call_id":"call_1",
"content":"{\"sky\":\"clear\"}"}],"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object"}}}])"},
    {"parts",
     R"("messages":[{"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{
"url":"data:image/png;base64,iVBORw0KGgo="}}]}])"},
    {"json-schema",
     R"("messages":[{"role":"user","content":"A colour."}],"response_format":{"type":"json_schema","json_schema":{
"name":"colour","schema":{"type":"object","properties":{"name":{"type":"string"}}}}})"},
    {"unknown-fields",
     R"("messages":[{"role":"user","content":"ping","kit_unknown":true}],"kit_unknown_field":{"deep":[1,2.50,"x"]})"},
    {"unicode",
     R"("messages":[{"role":"developer","content":"Rēzekne \u00e9\ud83d\ude00"},{"role":"user","content":"日本語 \"quoted\" \\ \n\t\u0001"},
{"role":"assistant","content":""},{"role":"user","content":"{API_KEY} {{x}}"}])"},
    {"two-choices",
     R"("messages":[{"role":"user","content":"ping"},{"role":"assistant","content":"pong"},{"role":"user","content":"ping"}],"n":2)"},
};

std::string Body(const char* members, bool stream) {
    return std::string(R"({"model":"kit-row","stream":)") + (stream ? "true," : "false,") +
           members + "}";
}

}  // namespace

Prompt::Prompt(std::string name, std::string_view body) : name_(std::move(name)) {
    auto request = dialect::ReadChatCompletion(body);
    if (!request) throw std::invalid_argument(name_ + ": " + request.error().message);
    request_ = std::move(*request);
    json_ = R"({"model":")" + std::string(kModel) + "\"";
    json_ += request_.stream ? R"(,"stream":true,"stream_options":{"include_usage":true})"
                             : R"(,"stream":false)";
    json_ += "," + request_.members + "}";
}

const aim_chat_request* Prompt::Show(HostMemory& memory, std::string_view endpoint) const {
    // The list of messages belongs to the call, too; its pointers are kept in the same memory.
    const std::size_t count = request_.messages.size();
    const std::string empty(count * sizeof(const aim_chat_message*), '\0');
    auto** const list =
        reinterpret_cast<const aim_chat_message**>(const_cast<char*>(memory.Keep(empty).data()));
    for (std::size_t i = 0; i < count; ++i) {
        const completion::ChatMessage& source = request_.messages[i];
        aim_chat_message message{};
        message.role = static_cast<int32_t>(source.role);
        message.flags = (source.has_parts ? AIM_MESSAGE_HAS_PARTS : 0u) |
                        (source.has_tool_calls ? AIM_MESSAGE_HAS_TOOL_CALLS : 0u);
        message.text = plugin::Str(memory.Keep(source.text));
        message.tool_call_id = plugin::Str(memory.Keep(source.tool_call_id));
        list[i] = memory.Place(message);
    }
    aim_chat_request view{};
    view.flags = (request_.stream ? AIM_CHAT_STREAM : 0u) |
                 (request_.has_tools ? AIM_CHAT_HAS_TOOLS : 0u) |
                 (request_.has_parts ? AIM_CHAT_HAS_PARTS : 0u) |
                 (request_.has_tool_turns ? AIM_CHAT_HAS_TOOL_TURNS : 0u) |
                 (request_.has_json_schema ? AIM_CHAT_HAS_JSON_SCHEMA : 0u);
    view.json = plugin::Str(memory.Keep(json_));
    view.model = plugin::Str(memory.Keep(kModel));
    view.endpoint = plugin::Str(memory.Keep(endpoint));
    view.max_tokens = request_.max_tokens;
    view.temperature = request_.temperature;
    view.top_p = request_.top_p;
    view.message_count = static_cast<uint32_t>(count);
    view.impl = list;
    view.message = [](const aim_chat_request* request, uint32_t i) -> const aim_chat_message* {
        if (i >= request->message_count) return nullptr;
        return static_cast<const aim_chat_message* const*>(request->impl)[i];
    };
    return memory.Place(view);
}

const std::vector<Prompt>& AllPrompts() {
    static const std::vector<Prompt> prompts = [] {
        std::vector<Prompt> made;
        for (const Shape& shape : kShapes) {
            made.emplace_back(shape.name, Body(shape.members, false));
            made.emplace_back(std::string(shape.name) + "-streamed", Body(shape.members, true));
        }
        return made;
    }();
    return prompts;
}

const Prompt& MinimalPrompt(bool stream) { return AllPrompts()[stream ? 1 : 0]; }

}  // namespace aim::cli::kit
