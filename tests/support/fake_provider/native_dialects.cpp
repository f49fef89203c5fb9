#include "tests/support/fake_provider/native_dialects.hpp"

#include <algorithm>
#include <vector>

#include "tests/support/fake_provider/json_text.hpp"

namespace aim::testing {
namespace {

using rapidjson::Value;

struct Frame {
    std::string bytes;
    bool counts = false;  // a delta
};

std::string TextMember(const Value& object, const char* name) {
    if (!object.IsObject()) return {};
    const auto member = object.FindMember(name);
    return member != object.MemberEnd() && member->value.IsString()
               ? std::string(TextOf(member->value))
               : std::string();
}

const Value* Member(const Value& object, const char* name) {
    if (!object.IsObject()) return nullptr;
    const auto member = object.FindMember(name);
    return member == object.MemberEnd() ? nullptr : &member->value;
}

// The text of the last user turn of `turns`, whose parts stand in `parts`.
std::string LastUserText(const Value* turns, const char* parts) {
    std::string last;
    if (turns == nullptr || !turns->IsArray()) return last;
    for (const auto& turn : turns->GetArray()) {
        if (TextMember(turn, "role") != "user") continue;
        const Value* content = Member(turn, parts);
        std::string text;
        if (content != nullptr && content->IsString()) text = TextOf(*content);
        if (content != nullptr && content->IsArray()) {
            for (const auto& part : content->GetArray()) text += TextMember(part, "text");
        }
        if (!text.empty()) last = text;
    }
    return last;
}

std::string Hex(std::string_view text) {
    std::string hex;
    for (const char c : text) {
        hex += "0123456789abcdef"[(static_cast<unsigned char>(c) >> 4) & 0xf];
        hex += "0123456789abcdef"[static_cast<unsigned char>(c) & 0xf];
    }
    return hex;
}

std::string Unhex(std::string_view hex) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string text;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        text += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
    return text;
}

bool IsTrue(const Value* value) { return value != nullptr && value->IsTrue(); }

void ReadGemini(std::string_view path, const Value& body, NativeCall& call) {
    const std::size_t models = path.find("/models/");
    const std::size_t colon = path.rfind(':');
    if (models == path.npos || colon == path.npos) {
        call.refused = "no such method";
        return;
    }
    call.model = path.substr(models + 8, colon - models - 8);
    call.stream = path.substr(colon) == ":streamGenerateContent";
    call.last_user_text = LastUserText(Member(body, "contents"), "parts");
    if (Member(body, "messages") != nullptr) call.refused = "Unknown name \"messages\"";
}

void ReadAnthropic(const Value& body, NativeCall& call) {
    call.model = TextMember(body, "model");
    call.stream = IsTrue(Member(body, "stream"));
    call.last_user_text = LastUserText(Member(body, "messages"), "content");
    if (Member(body, "max_tokens") == nullptr) call.refused = "max_tokens: Field required";
    const Value* messages = Member(body, "messages");
    if (messages == nullptr || !messages->IsArray()) return;
    for (const auto& message : messages->GetArray()) {
        if (TextMember(message, "role") == "system") call.refused = "messages: no role system";
    }
}

void ReadCloudflare(std::string_view path, const Value& body, NativeCall& call) {
    const std::size_t run = path.find("/ai/run/");
    if (run == path.npos) {
        call.refused = "Could not route to " + std::string(path);
        return;
    }
    call.model = path.substr(run + 8);
    call.stream = IsTrue(Member(body, "stream"));
    call.last_user_text = LastUserText(Member(body, "messages"), "content");
    if (Member(body, "model") != nullptr) call.refused = "model is not expected in the body";
}

void ReadReplicate(std::string_view path, const Value& body, NativeCall& call) {
    constexpr std::string_view kPredictions = "/predictions/";
    constexpr std::string_view kStream = "/stream/";
    for (const std::string_view folder : {kPredictions, kStream}) {
        const std::size_t at = path.find(folder);
        if (at == path.npos) continue;
        const std::string id = Unhex(path.substr(at + folder.size()));
        const std::size_t end = std::min(id.find('\n'), id.size());
        call.follows_up = true;
        call.stream = folder == kStream;
        call.model = id.substr(0, end);
        call.last_user_text = id.substr(std::min(end + 1, id.size()));
        return;
    }
    const std::size_t models = path.find("/models/");
    call.model = TextMember(body, "version");
    if (models != path.npos)
        call.model = path.substr(models + 8, path.rfind("/predictions") - models - 8);
    const Value* input = Member(body, "input");
    call.stream = IsTrue(Member(body, "stream"));
    if (input != nullptr) call.last_user_text = TextMember(*input, "prompt");
    if (call.last_user_text.empty()) call.refused = "- input: prompt is required";
}

std::string AnswerText(const ScriptStep& step, const NativeCall& call) {
    return step.text ? *step.text : "echo: " + call.last_user_text;
}

// A word with the space before it.
std::vector<std::string> Words(const std::string& text) {
    std::vector<std::string> words;
    for (const char c : text) {
        if (words.empty() || c == ' ') words.emplace_back();
        words.back() += c;
    }
    return words;
}

std::string Data(const std::string& json) { return "data: " + json + "\n\n"; }

std::string Event(const std::string& name, const std::string& json) {
    return "event: " + name + "\n" + Data(json);
}

// Gemini --------------------------------------------------------------------------------------

std::string GeminiAnswer(const std::string& parts, bool last, const ScriptStep& step) {
    const std::int64_t prompt = step.prompt_tokens.value_or(5);
    const std::int64_t completion = step.completion_tokens.value_or(3);
    return R"({"candidates":[{"content":{"role":"model","parts":[)" + parts + "]}" +
           std::string(last ? R"(,"finishReason":"STOP")" : "") +
           R"(,"index":0}],"usageMetadata":{"promptTokenCount":)" + std::to_string(prompt) +
           R"(,"candidatesTokenCount":)" + std::to_string(completion) + R"(,"totalTokenCount":)" +
           std::to_string(prompt + completion) + R"(},"modelVersion":"fake","responseId":"r1"})";
}

std::string GeminiCalls(const ScriptStep& step) {
    std::string parts;
    for (const ScriptedToolCall& call : step.tool_calls)
        parts += std::string(parts.empty() ? "" : ",") + R"({"functionCall":{"name":)" +
                 QuoteJson(call.name) + R"(,"args":)" + call.arguments +
                 R"(},"thoughtSignature":"c2ln"})";
    return parts;
}

std::string GeminiText(const std::string& text) { return "{\"text\":" + QuoteJson(text) + "}"; }

std::vector<Frame> GeminiFrames(const ScriptStep& step, const NativeCall& call) {
    std::vector<Frame> frames;
    if (!step.tool_calls.empty())
        return {{Data(GeminiAnswer(GeminiCalls(step), true, step)), true}};
    for (const std::string& word : Words(AnswerText(step, call)))
        frames.push_back({Data(GeminiAnswer(GeminiText(word), false, step)), true});
    frames.push_back({Data(GeminiAnswer(GeminiText(""), true, step)), false});
    return frames;
}

// Anthropic -----------------------------------------------------------------------------------

std::string AnthropicUsage(const ScriptStep& step) {
    return R"({"input_tokens":)" + std::to_string(step.prompt_tokens.value_or(5)) +
           R"(,"output_tokens":)" + std::to_string(step.completion_tokens.value_or(3)) + "}";
}

std::string AnthropicBody(const ScriptStep& step, const NativeCall& call) {
    std::string content;
    for (const ScriptedToolCall& tool : step.tool_calls)
        content += std::string(content.empty() ? "" : ",") + R"({"type":"tool_use","id":)" +
                   QuoteJson(tool.id) + R"(,"name":)" + QuoteJson(tool.name) + R"(,"input":)" +
                   tool.arguments + "}";
    if (content.empty())
        content = R"({"type":"text","text":)" + QuoteJson(AnswerText(step, call)) + "}";
    return R"({"id":"msg_1","type":"message","role":"assistant","model":)" + QuoteJson(call.model) +
           R"(,"content":[)" + content + R"(],"stop_reason":)" +
           (step.tool_calls.empty() ? "\"end_turn\"" : "\"tool_use\"") +
           R"(,"stop_sequence":null,"usage":)" + AnthropicUsage(step) + "}";
}

std::vector<Frame> AnthropicFrames(const ScriptStep& step, const NativeCall& call) {
    std::vector<Frame> frames;
    const auto add = [&](const std::string& name, const std::string& rest, bool counts = false) {
        frames.push_back({Event(name, R"({"type":)" + QuoteJson(name) + rest + "}"), counts});
    };
    add("message_start",
        R"(,"message":{"id":"msg_1","type":"message","role":"assistant","content":[],"model":)" +
            QuoteJson(call.model) +
            R"(,"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":1}})");
    add("ping", "");
    std::size_t index = 0;
    const auto block = [&](const std::string& start, const std::vector<std::string>& deltas) {
        const std::string number = R"(,"index":)" + std::to_string(index++);
        add("content_block_start", number + R"(,"content_block":)" + start);
        for (const std::string& delta : deltas)
            add("content_block_delta", number + R"(,"delta":)" + delta, true);
        add("content_block_stop", number);
    };
    for (const ScriptedToolCall& tool : step.tool_calls) {
        const std::size_t half = tool.arguments.size() / 2;
        std::vector<std::string> deltas;
        for (const std::string& piece :
             {std::string(), tool.arguments.substr(0, half), tool.arguments.substr(half)})
            deltas.push_back(R"({"type":"input_json_delta","partial_json":)" + QuoteJson(piece) +
                             "}");
        block(R"({"type":"tool_use","id":)" + QuoteJson(tool.id) + R"(,"name":)" +
                  QuoteJson(tool.name) + R"(,"input":{}})",
              deltas);
    }
    if (step.tool_calls.empty()) {
        std::vector<std::string> deltas;
        for (const std::string& word : Words(AnswerText(step, call)))
            deltas.push_back(R"({"type":"text_delta","text":)" + QuoteJson(word) + "}");
        block(R"({"type":"text","text":""})", deltas);
    }
    add("message_delta", std::string(R"(,"delta":{"stop_reason":)") +
                             (step.tool_calls.empty() ? "\"end_turn\"" : "\"tool_use\"") +
                             R"(},"usage":)" + AnthropicUsage(step));
    add("message_stop", "");
    return frames;
}

// Cloudflare ----------------------------------------------------------------------------------

std::string CloudflareUsage(const ScriptStep& step) {
    const std::int64_t prompt = step.prompt_tokens.value_or(5);
    const std::int64_t completion = step.completion_tokens.value_or(3);
    return R"({"prompt_tokens":)" + std::to_string(prompt) + R"(,"completion_tokens":)" +
           std::to_string(completion) + R"(,"total_tokens":)" +
           std::to_string(prompt + completion) + "}";
}

std::string CloudflareCalls(const ScriptStep& step) {
    std::string calls;
    for (const ScriptedToolCall& call : step.tool_calls)
        calls += std::string(calls.empty() ? "" : ",") + R"({"name":)" + QuoteJson(call.name) +
                 R"(,"arguments":)" + call.arguments + "}";
    return calls;
}

std::string CloudflareBody(const ScriptStep& step, const NativeCall& call) {
    const std::string answer =
        step.tool_calls.empty() ? R"("response":)" + QuoteJson(AnswerText(step, call))
                                : R"("response":null,"tool_calls":[)" + CloudflareCalls(step) + "]";
    return "{\"result\":{" + answer + R"(,"usage":)" + CloudflareUsage(step) +
           R"(},"success":true,"errors":[],"messages":[]})";
}

std::vector<Frame> CloudflareFrames(const ScriptStep& step, const NativeCall& call) {
    std::vector<Frame> frames;
    if (step.tool_calls.empty()) {
        for (const std::string& word : Words(AnswerText(step, call)))
            frames.push_back({Data("{\"response\":" + QuoteJson(word) + R"(,"p":"abcd"})"), true});
    } else {
        frames.push_back({Data("{\"tool_calls\":[" + CloudflareCalls(step) + "]}"), true});
    }
    frames.push_back({Data(R"({"response":"","usage":)" + CloudflareUsage(step) + "}"), false});
    frames.push_back({Data("[DONE]"), false});
    return frames;
}

// Replicate -----------------------------------------------------------------------------------

std::string ReplicateBody(const ScriptStep& step, const NativeCall& call) {
    const std::string id = Hex(call.model + "\n" + call.last_user_text);
    const std::string base = call.origin + "/as/replicate/v1";
    std::string body = R"({"id":)" + QuoteJson(id) +
                       R"(,"version":"hidden","input":{},"urls":{"get":)" +
                       QuoteJson(base + "/predictions/" + id);
    if (call.stream) body += R"(,"stream":)" + QuoteJson(base + "/stream/" + id);
    body += "},\"logs\":\"\",\"error\":null,";
    if (!call.follows_up) return body + R"("status":"starting","output":null})";
    std::string output;
    for (const std::string& word : Words(AnswerText(step, call)))
        output += (output.empty() ? "" : ",") + QuoteJson(word);
    return body + R"("status":"succeeded","output":[)" + output +
           R"(],"metrics":{"input_token_count":)" + std::to_string(step.prompt_tokens.value_or(5)) +
           R"(,"output_token_count":)" + std::to_string(step.completion_tokens.value_or(3)) + "}}";
}

std::vector<Frame> ReplicateFrames(const ScriptStep& step, const NativeCall& call) {
    std::vector<Frame> frames;
    int number = 0;
    const auto add = [&](const std::string& name, const std::string& data, bool counts) {
        frames.push_back(
            {"event: " + name + "\nid: 1790000000:" + std::to_string(number++) + "\n" + Data(data),
             counts});
    };
    for (const std::string& word : Words(AnswerText(step, call))) add("output", word, true);
    add("done", "{}", false);
    return frames;
}

// All -----------------------------------------------------------------------------------------

std::string ErrorText(int status, const NativeCall& call) {
    if (!call.refused.empty()) return call.refused;
    switch (status) {
        case 401:
            return "The key is not valid.";
        case 404:
            return "There is no model " + call.model + ".";
        case 429:
            return "Slow down.";
        default:
            return "Error " + std::to_string(status) + ".";
    }
}

std::string NativeError(int status, const NativeCall& call) {
    const std::string text = QuoteJson(ErrorText(status, call));
    switch (call.dialect) {
        case NativeDialect::kGemini: {
            const char* name = status == 400   ? "INVALID_ARGUMENT"
                               : status == 401 ? "UNAUTHENTICATED"
                               : status == 403 ? "PERMISSION_DENIED"
                               : status == 404 ? "NOT_FOUND"
                               : status == 429 ? "RESOURCE_EXHAUSTED"
                               : status == 503 ? "UNAVAILABLE"
                                               : "INTERNAL";
            const char* details =
                status == 429
                    ? R"(,"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"2s"}])"
                    : "";
            return R"({"error":{"code":)" + std::to_string(status) + R"(,"message":)" + text +
                   R"(,"status":")" + name + "\"" + details + "}}";
        }
        case NativeDialect::kAnthropic: {
            const char* type = status == 400   ? "invalid_request_error"
                               : status == 401 ? "authentication_error"
                               : status == 404 ? "not_found_error"
                               : status == 429 ? "rate_limit_error"
                               : status == 529 ? "overloaded_error"
                                               : "api_error";
            return std::string(R"({"type":"error","error":{"type":")") + type + R"(","message":)" +
                   text + R"(},"request_id":"req_1"})";
        }
        case NativeDialect::kCloudflare: {
            const char* code = status == 400   ? "3003"
                               : status == 401 ? "10000"
                               : status == 404 ? "3042"
                               : status == 429 ? "3036"
                                               : "5000";
            return std::string(R"({"result":null,"success":false,"errors":[{"code":)") + code +
                   R"(,"message":)" + text + R"(}],"messages":[]})";
        }
        case NativeDialect::kReplicate:
            break;
    }
    return R"({"title":"Error","detail":)" + text + R"(,"status":)" + std::to_string(status) + "}";
}

// An error inside a stream, or as the body of a 200.
std::string ErrorFrame(const NativeCall& call) {
    switch (call.dialect) {
        case NativeDialect::kAnthropic:
            return Event("error", NativeError(529, call));
        case NativeDialect::kReplicate:
            return "event: error\nid: 1\n" + Data("{\"detail\":\"it broke\"}");
        case NativeDialect::kGemini:
        case NativeDialect::kCloudflare:
            break;
    }
    return Data(NativeError(500, call));
}

std::vector<Frame> Frames(const ScriptStep& step, const NativeCall& call) {
    switch (call.dialect) {
        case NativeDialect::kGemini:
            return GeminiFrames(step, call);
        case NativeDialect::kAnthropic:
            return AnthropicFrames(step, call);
        case NativeDialect::kCloudflare:
            return CloudflareFrames(step, call);
        case NativeDialect::kReplicate:
            break;
    }
    return ReplicateFrames(step, call);
}

std::string WholeAnswer(const ScriptStep& step, const NativeCall& call) {
    switch (call.dialect) {
        case NativeDialect::kGemini:
            return GeminiAnswer(
                step.tool_calls.empty() ? GeminiText(AnswerText(step, call)) : GeminiCalls(step),
                true, step);
        case NativeDialect::kAnthropic:
            return AnthropicBody(step, call);
        case NativeDialect::kCloudflare:
            return CloudflareBody(step, call);
        case NativeDialect::kReplicate:
            break;
    }
    return ReplicateBody(step, call);
}

// The frames as one body, with the script's faults at their places.
void PutFrames(const std::vector<Frame>& frames, const NativeCall& call, ScriptStep& step) {
    std::string body;
    std::size_t deltas = 0;
    const bool fails = step.error_in_stream.has_value();
    const std::optional<std::size_t> cut = step.cut_after_chunks;
    step.cut_after_chunks.reset();
    for (const Frame& frame : frames) {
        if (fails && frame.counts && deltas >= step.error_after_chunks) {
            body += ErrorFrame(call);
            break;
        }
        if (cut && frame.counts && deltas >= *cut) {
            step.content_length = body.size() + 1;
            step.cut_after_bytes = body.size();
            break;
        }
        body += frame.bytes;
        deltas += frame.counts ? 1 : 0;
    }
    step.body = body;
    step.content_type = step.content_type.value_or("text/event-stream");
}

}  // namespace

std::optional<NativeCall> ReadNativeCall(std::string_view method, std::string_view target,
                                         std::string_view origin, std::string_view body) {
    constexpr std::pair<std::string_view, NativeDialect> kFolders[] = {
        {"/as/gemini/", NativeDialect::kGemini},
        {"/as/anthropic/", NativeDialect::kAnthropic},
        {"/as/cloudflare/", NativeDialect::kCloudflare},
        {"/as/replicate/", NativeDialect::kReplicate}};
    const std::string_view path = target.substr(0, target.find('?'));
    const auto* folder = std::find_if(std::begin(kFolders), std::end(kFolders),
                                      [&](const auto& f) { return path.starts_with(f.first); });
    if (folder == std::end(kFolders)) return std::nullopt;
    NativeCall call;
    call.dialect = folder->second;
    call.origin = origin;
    rapidjson::Document document;
    document.Parse<kJsonParseFlags>(body.data(), body.size());
    if (method == "POST" && (document.HasParseError() || !document.IsObject())) {
        call.refused = "The body of the request is not a valid JSON object.";
        return call;
    }
    if (document.HasParseError()) document.SetObject();
    switch (call.dialect) {
        case NativeDialect::kGemini:
            ReadGemini(path, document, call);
            break;
        case NativeDialect::kAnthropic:
            ReadAnthropic(document, call);
            break;
        case NativeDialect::kCloudflare:
            ReadCloudflare(path, document, call);
            break;
        case NativeDialect::kReplicate:
            ReadReplicate(path, document, call);
            break;
    }
    return call;
}

ScriptStep InNativeWords(const ScriptStep& scripted, const NativeCall& call) {
    ScriptStep step = scripted;
    for (const char* name : {"x-ratelimit-limit-requests", "x-ratelimit-limit-tokens",
                             "x-ratelimit-remaining-requests", "x-ratelimit-remaining-tokens",
                             "x-ratelimit-reset-requests", "x-ratelimit-reset-tokens"})
        step.removed_headers.emplace_back(name);
    if (!call.refused.empty()) step.status = 400;
    const bool ok = step.status >= 200 && step.status <= 299;
    if (step.body || step.raw || step.raw_response) return step;
    // Replicate's faults hit what is read after the creation; a status hits the creation.
    const bool creates = call.dialect == NativeDialect::kReplicate && !call.follows_up;
    if (!ok) {
        step.body = NativeError(step.status, call);
    } else if (creates) {
        step.body = ReplicateBody(step, call);
        step.status = 201;
        step.cut_after_chunks.reset();
    } else if (call.stream) {
        PutFrames(Frames(step, call), call, step);
    } else {
        step.body = step.error_in_stream ? NativeError(500, call) : WholeAnswer(step, call);
    }
    step.error_in_stream.reset();
    return step;
}

}  // namespace aim::testing
