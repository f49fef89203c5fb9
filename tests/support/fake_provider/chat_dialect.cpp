#include "tests/support/fake_provider/chat_dialect.hpp"

#include <algorithm>
#include <ctime>

#include "tests/support/fake_provider/json_text.hpp"

namespace aim::testing {
namespace {

std::string UserText(const rapidjson::Value& content) {
    if (content.IsString()) return std::string(TextOf(content));
    std::string text;
    if (!content.IsArray()) return text;
    for (const auto& part : content.GetArray()) {
        if (!part.IsObject()) continue;
        const auto member = part.FindMember("text");
        if (member != part.MemberEnd() && member->value.IsString()) text += TextOf(member->value);
    }
    return text;
}

std::string AnswerText(const ScriptStep& step, const ChatRequest& request) {
    if (step.huge_line_bytes > 0) return std::string(step.huge_line_bytes, 'x');
    if (step.text) return *step.text;
    if (!step.tool_calls.empty()) return {};
    return "echo: " + request.last_user_text;
}

std::string FinishReason(const ScriptStep& step) {
    if (step.omit_finish_reason) return "null";
    if (step.finish_reason) return QuoteJson(*step.finish_reason);
    return step.tool_calls.empty() ? "\"stop\"" : "\"tool_calls\"";
}

std::string AnswerId(const ChatRequest& request) {
    return "chatcmpl-fake" + std::to_string(request.number);
}

std::string GroqId(const ChatRequest& request) {
    return "req_fake" + std::to_string(request.number);
}

std::string Created(const ChatRequest& request) {
    return request.accent != nullptr ? request.accent->created : std::to_string(std::time(nullptr));
}

std::string_view ReasoningField(const ScriptStep& step, const ChatRequest& request) {
    return request.accent != nullptr ? request.accent->reasoning_field : step.reasoning_field;
}

std::string UsageJson(const ScriptStep& step, const ChatRequest& request, std::size_t deltas) {
    const std::int64_t prompt =
        step.prompt_tokens.value_or(static_cast<std::int64_t>(request.prompt_characters / 4 + 1));
    const std::int64_t completion =
        step.completion_tokens.value_or(static_cast<std::int64_t>(deltas));
    if (request.accent != nullptr)
        return request.accent->usage(
            {prompt, completion, step.cached_tokens, step.reasoning_tokens});
    std::string json =
        "{\"queue_time\":0.04,\"prompt_tokens\":" + std::to_string(prompt) +
        ",\"prompt_time\":0.003,\"completion_tokens\":" + std::to_string(completion) +
        ",\"completion_time\":0.02,\"total_tokens\":" + std::to_string(prompt + completion) +
        ",\"total_time\":0.023";
    if (step.cached_tokens > 0)
        json +=
            ",\"prompt_tokens_details\":{\"cached_tokens\":" + std::to_string(step.cached_tokens) +
            "}";
    if (step.reasoning_tokens > 0)
        json += ",\"completion_tokens_details\":{\"reasoning_tokens\":" +
                std::to_string(step.reasoning_tokens) + "}";
    return json + "}";
}

bool IsContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// Pieces that never split a character. Without a count a piece is a word with the space before it.
std::vector<std::string> SplitText(const std::string& text, std::size_t count) {
    std::vector<std::string> pieces;
    if (text.empty()) return pieces;
    const std::size_t wanted = count == 0 ? 0 : (text.size() + count - 1) / count;
    std::size_t characters = 0;
    for (const char byte : text) characters += IsContinuation(byte) ? 0 : 1;
    std::size_t seen = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char byte = text[i];
        bool fresh = pieces.empty();
        if (!fresh && !IsContinuation(byte)) {
            fresh = wanted == 0 ? byte == ' '
                                : seen * count / characters != (seen - 1) * count / characters;
        }
        if (!IsContinuation(byte)) ++seen;
        if (fresh) pieces.emplace_back();
        pieces.back().push_back(byte);
    }
    return pieces;
}

// An echo has as many deltas as the script asks for, however short the prompt was.
void PadPieces(std::vector<std::string>* pieces, std::size_t count) {
    while (pieces->size() < count) pieces->push_back(" w" + std::to_string(pieces->size()));
}

std::string ToolCallJson(const ScriptStep& step, const Accent* accent, std::size_t position,
                         std::string_view arguments, bool identity) {
    const ScriptedToolCall& call = step.tool_calls[position];
    std::string json = "{";
    if (identity) json += "\"id\":" + QuoteJson(call.id) + ",\"type\":\"function\",";
    json += "\"function\":{";
    if (identity) json += "\"name\":" + QuoteJson(call.name) + ",";
    json += "\"arguments\":" + QuoteJson(arguments) + "}";
    if (step.tool_index && (accent == nullptr || accent->tool_index))
        json += ",\"index\":" + std::to_string(position);
    return json + "}";
}

class ChunkWriter {
  public:
    explicit ChunkWriter(const ChatRequest& request)
        : accent_(request.accent),
          prefix_("{\"id\":\"" + AnswerId(request) +
                  "\",\"object\":\"chat.completion.chunk\",\"created\":" + Created(request) +
                  ",\"model\":" + QuoteJson(request.model) +
                  ",\"system_fingerprint\":\"fp_fake\",\"choices\":[") {}

    std::string Chunk(const std::string& delta, const std::string& finish_reason = "null",
                      const std::string& extra = "") const {
        if (accent_ != nullptr) {
            const bool ends = finish_reason != "null";
            std::string text = prefix_ + "{\"index\":0,\"delta\":" + delta;
            if (accent_->nulls_in_choices) text += ",\"logprobs\":null";
            if (accent_->nulls_in_choices || ends) text += ",\"finish_reason\":" + finish_reason;
            if (ends) text += accent_->choice_extra;
            return text + "}]" + accent_->answer_extra + extra + "}";
        }
        return prefix_ + "{\"index\":0,\"delta\":" + delta +
               ",\"logprobs\":null,\"finish_reason\":" + finish_reason + "}]" + extra + "}";
    }
    std::string WithoutChoices(const std::string& extra) const {
        return prefix_ + "]" + (accent_ != nullptr ? accent_->answer_extra : "") + extra + "}";
    }

  private:
    const Accent* accent_;
    std::string prefix_;
};

// All calls whole in one delta.
std::string ToolDelta(const ScriptStep& step, const Accent* accent) {
    std::string calls;
    for (std::size_t i = 0; i < step.tool_calls.size(); ++i)
        calls +=
            (i == 0 ? "" : ",") + ToolCallJson(step, accent, i, step.tool_calls[i].arguments, true);
    return calls.empty() ? "{}" : "{\"content\":null,\"tool_calls\":[" + calls + "]}";
}

void AddToolChunks(const ScriptStep& step, const ChunkWriter& writer, const Accent* accent,
                   std::vector<StreamChunk>* chunks) {
    const auto add = [&](const std::string& call) {
        chunks->push_back({writer.Chunk("{\"tool_calls\":[" + call + "]}"), true});
    };
    for (std::size_t i = 0; i < step.tool_calls.size(); ++i) {
        const std::string& arguments = step.tool_calls[i].arguments;
        if (step.tool_fragments == 0) {
            add(ToolCallJson(step, accent, i, arguments, true));
            continue;
        }
        add(ToolCallJson(step, accent, i, "", true));
        for (const std::string& part : SplitText(arguments, step.tool_fragments))
            add(ToolCallJson(step, accent, i, part, false));
    }
}

constexpr std::string_view kModels[] = {"llama-3.3-70b-versatile", "llama-3.1-8b-instant",
                                        "openai/gpt-oss-20b", "bench"};

std::string ModelJson(std::string_view id) {
    return "{\"id\":" + QuoteJson(id) +
           ",\"object\":\"model\",\"created\":1790000000,\"owned_by\":\"fake\",\"active\":true,"
           "\"context_window\":131072,\"public_apps\":null,\"max_completion_tokens\":32768}";
}

}  // namespace

bool ReadChatRequest(std::string_view body, ChatRequest* request, std::string* error) {
    rapidjson::Document document;
    if (document.Parse<kJsonParseFlags>(body.data(), body.size()).HasParseError() ||
        !document.IsObject()) {
        *error = "The body of the request is not a valid JSON object.";
        return false;
    }
    const auto model = document.FindMember("model");
    if (model == document.MemberEnd() || !model->value.IsString()) {
        *error = "property 'model' is missing";
        return false;
    }
    request->model = TextOf(model->value);
    const auto messages = document.FindMember("messages");
    if (messages == document.MemberEnd() || !messages->value.IsArray() || messages->value.Empty()) {
        *error = "'messages' : minimum number of items is 1";
        return false;
    }
    for (const auto& message : messages->value.GetArray()) {
        if (!message.IsObject() || !message.HasMember("role") || !message["role"].IsString()) {
            *error = "'messages' : for every item 'role' is a string";
            return false;
        }
        const auto content = message.FindMember("content");
        if (content == message.MemberEnd()) continue;
        const std::string text = UserText(content->value);
        request->prompt_characters += text.size();
        if (TextOf(message["role"]) == "user") request->last_user_text = text;
    }
    if (request->accent != nullptr) request->refused = AccentRefuses(*request->accent, document);
    if (const auto stream = document.FindMember("stream"); stream != document.MemberEnd()) {
        if (!stream->value.IsBool() && !stream->value.IsNull()) {
            *error = "'stream' : value must be a boolean";
            return false;
        }
        request->stream = stream->value.IsTrue();
    }
    return true;
}

std::string CompletionBody(const ScriptStep& step, const ChatRequest& request) {
    const std::string text = AnswerText(step, request);
    std::string message = "{\"role\":\"assistant\"";
    // Groq leaves content away beside tool calls, which clients must survive.
    if (!text.empty() || step.tool_calls.empty()) message += ",\"content\":" + QuoteJson(text);
    if (step.reasoning)
        message +=
            "," + QuoteJson(ReasoningField(step, request)) + ":" + QuoteJson(*step.reasoning);
    if (!step.tool_calls.empty()) {
        message += ",\"tool_calls\":[";
        for (std::size_t i = 0; i < step.tool_calls.size(); ++i) {
            const ScriptedToolCall& call = step.tool_calls[i];
            message += std::string(i == 0 ? "" : ",") + "{\"id\":" + QuoteJson(call.id) +
                       ",\"type\":\"function\",\"function\":{\"name\":" + QuoteJson(call.name) +
                       ",\"arguments\":" + QuoteJson(call.arguments) + "}}";
        }
        message += "]";
    }
    message += "}";
    std::string body = "{\"id\":\"" + AnswerId(request) +
                       "\",\"object\":\"chat.completion\",\"created\":" + Created(request) +
                       ",\"model\":" + QuoteJson(request.model) +
                       ",\"choices\":[{\"index\":0,\"message\":" + message +
                       ",\"logprobs\":null,\"finish_reason\":" + FinishReason(step) + "}]";
    if (step.usage != UsagePlacement::kNone)
        body += ",\"usage\":" + UsageJson(step, request, SplitText(text, step.chunks).size()) +
                ",\"usage_breakdown\":null";
    if (request.accent != nullptr) return body + request.accent->answer_extra + "}";
    return body + ",\"system_fingerprint\":\"fp_fake\",\"x_groq\":{\"id\":\"" + GroqId(request) +
           "\",\"seed\":11},\"service_tier\":\"on_demand\"}";
}

std::vector<StreamChunk> CompletionChunks(const ScriptStep& step, const ChatRequest& request) {
    const ChunkWriter writer(request);
    const Accent* const accent = request.accent;
    const std::string groq_id = "\"id\":\"" + GroqId(request) + "\"";
    const std::string first_extra =
        accent != nullptr ? "" : ",\"x_groq\":{" + groq_id + ",\"seed\":11}";
    std::vector<StreamChunk> chunks;
    const bool no_content = !step.tool_calls.empty() && !step.text;
    chunks.push_back({writer.Chunk(no_content ? "{\"role\":\"assistant\",\"content\":null}"
                                              : "{\"role\":\"assistant\",\"content\":\"\"}",
                                   "null", first_extra),
                      false});
    if (step.reasoning) {
        for (const std::string& part : SplitText(*step.reasoning, 0))
            chunks.push_back({writer.Chunk("{" + QuoteJson(ReasoningField(step, request)) + ":" +
                                           QuoteJson(part) + "}"),
                              true});
    }
    std::vector<std::string> pieces;
    if (step.huge_line_bytes > 0) {
        pieces.push_back(AnswerText(step, request));
    } else {
        pieces = SplitText(AnswerText(step, request), step.chunks);
        if (!step.text && step.tool_calls.empty()) PadPieces(&pieces, step.chunks);
    }
    for (const std::string& piece : pieces)
        chunks.push_back({writer.Chunk("{\"content\":" + QuoteJson(piece) + "}"), true});
    const bool tools_last = accent != nullptr && accent->tools_in_finish_chunk;
    if (!tools_last) AddToolChunks(step, writer, accent, &chunks);

    const std::string usage = UsageJson(step, request, chunks.size() - 1);
    std::string last_extra;
    if (step.usage == UsagePlacement::kLast && accent == nullptr)
        last_extra = ",\"x_groq\":{" + groq_id + ",\"usage\":" + usage + "},\"usage\":" + usage;
    if (step.usage == UsagePlacement::kLast && accent != nullptr && accent->usage_in_finish_chunk)
        last_extra = ",\"usage\":" + usage;
    if (!step.omit_finish_reason || !last_extra.empty()) {
        const std::string delta = tools_last ? ToolDelta(step, accent) : "{}";
        chunks.push_back({writer.Chunk(delta, FinishReason(step), last_extra), false});
    }
    const bool extra_by_accent =
        step.usage == UsagePlacement::kLast && accent != nullptr && !accent->usage_in_finish_chunk;
    if (step.usage == UsagePlacement::kExtra || extra_by_accent)
        chunks.push_back({writer.WithoutChoices(",\"usage\":" + usage), false});
    return chunks;
}

std::string ErrorBody(std::string_view message, std::string_view type, std::string_view code) {
    std::string body =
        "{\"error\":{\"message\":" + QuoteJson(message) + ",\"type\":" + QuoteJson(type);
    if (!code.empty()) body += ",\"code\":" + QuoteJson(code);
    return body + "}}";
}

std::string ErrorBody(int status, std::string_view model) {
    const std::string name(model);
    switch (status) {
        case 400:
            return ErrorBody("The request is not valid.", "invalid_request_error", "");
        case 401:
            return ErrorBody("Invalid API Key", "invalid_request_error", "invalid_api_key");
        case 402:
            return ErrorBody("Insufficient Balance", "unknown_error", "invalid_request_error");
        case 403:
            return ErrorBody("Access denied. Please check your network settings.",
                             "permissions_error", "");
        case 404:
            return ErrorBody(
                "The model `" + name + "` does not exist or you do not have access to it.",
                "invalid_request_error", "model_not_found");
        case 413:
            return ErrorBody("Request too large for model `" + name +
                                 "` on tokens per minute (TPM): Limit 6000, Requested 9000.",
                             "tokens", "rate_limit_exceeded");
        case 422:
            return ErrorBody("The request was well-formed but could not be followed.",
                             "invalid_request_error", "");
        case 429:
            return ErrorBody("Rate limit reached for model `" + name +
                                 "` on tokens per minute (TPM): Limit 6000, Used 5900, Requested "
                                 "700. Please try again in 6s.",
                             "tokens", "rate_limit_exceeded");
        case 498:
            return ErrorBody("Flex tier capacity exceeded.", "capacity_exceeded",
                             "capacity_exceeded");
        case 503:
            return ErrorBody("Service unavailable: the model is overloaded.", "service_unavailable",
                             "");
        default:
            return ErrorBody("Internal server error (" + std::to_string(status) + ")",
                             "internal_server_error", "");
    }
}

std::string ModelsBody() {
    std::string body = "{\"object\":\"list\",\"data\":[";
    for (const std::string_view id : kModels) {
        if (body.back() != '[') body += ",";
        body += ModelJson(id);
    }
    return body + "]}";
}

std::string ModelBody(std::string_view id) {
    const bool known = std::find(std::begin(kModels), std::end(kModels), id) != std::end(kModels);
    return known ? ModelJson(id) : std::string();
}

}  // namespace aim::testing
