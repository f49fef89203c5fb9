#include "services/cli/kit/samples.hpp"

#include <charconv>
#include <fstream>
#include <iterator>

namespace aim::cli::kit {
namespace {

constexpr char kJson[] = "application/json";
constexpr char kEvents[] = "text/event-stream";

Sample Make(const char* name, const char* type, std::string body) {
    Sample sample;
    sample.name = name;
    sample.streamed = type == kEvents || sample.name.find("stream") != std::string::npos;
    sample.answer.headers = {{"content-type", type}, {"x-request-id", "kit-1"}};
    sample.answer.body = std::move(body);
    return sample;
}

std::string Events(std::initializer_list<const char*> events) {
    std::string body;
    for (const char* event : events) body += std::string("data: ") + event + "\n\n";
    return body;
}

std::string NamedEvents(std::initializer_list<std::pair<const char*, const char*>> events) {
    std::string body;
    for (const auto& [name, data] : events)
        body += std::string("event: ") + name + "\ndata: " + data + "\n\n";
    return body;
}

}  // namespace

const std::vector<Sample>& BuiltInSamples() {
    static const std::vector<Sample> samples =
        {
            Make(
                "openai", kJson,
                R"({"id":"c1","object":"chat.completion","created":1790000000,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Grüße \ud83d\ude00 日本"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}})"),
            Make(
                "openai-tools", kJson,
                R"({"id":"c2","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_a","type":"function","function":{"name":"weather","arguments":"{\"place\":\"Riga\"}"}},{"id":"call_b","type":"function","function":{"name":"weather","arguments":"{}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13,"prompt_tokens_details":{"cached_tokens":3}}})"),
            Make(
                "openai-stream", kEvents,
                ": hello\n\n" +
                    Events(
                        {R"({"id":"c3","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]})",
                         R"({"id":"c3","choices":[{"index":0,"delta":{"content":"Grüße "},"finish_reason":null}]})",
                         R"({"id":"c3","choices":[{"index":0,"delta":{"content":"\ud83d\ude00 日本"},"finish_reason":null}]})",
                         R"({"id":"c3","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})",
                         R"({"id":"c3","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}})",
                         "[DONE]"})),
            Make(
                "openai-tools-stream", kEvents,
                Events(
                    {R"({"choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"weather","arguments":""}}]}}]})",
                     R"({"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"place\":"}}]}}]})",
                     R"({"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"Riga\"}"}}]}}]})",
                     R"({"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_b","type":"function","function":{"name":"weather","arguments":"{}"}}]}}]})",
                     R"({"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]})",
                     "[DONE]"})),
            Make(
                "gemini", kJson,
                R"({"candidates":[{"content":{"parts":[{"text":"Grüße 日本"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":4,"totalTokenCount":13},"modelVersion":"m"})"),
            Make(
                "gemini-stream", kEvents,
                Events(
                    {R"({"candidates":[{"content":{"parts":[{"text":"Grüße "}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":9,"totalTokenCount":9}})",
                     R"({"candidates":[{"content":{"parts":[{"text":"日本"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":4,"totalTokenCount":13}})"})),
            Make(
                "anthropic", kJson,
                R"({"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Grüße 日本"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":4}})"),
            Make(
                "anthropic-stream", kEvents,
                NamedEvents(
                    {{"message_start",
                      R"({"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"model":"m","stop_reason":null,"usage":{"input_tokens":9,"output_tokens":1}}})"},
                     {"content_block_start",
                      R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})"},
                     {"content_block_delta",
                      R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Grüße 日本"}})"},
                     {"content_block_stop", R"({"type":"content_block_stop","index":0})"},
                     {"message_delta",
                      R"({"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":4}})"},
                     {"message_stop", R"({"type":"message_stop"})"}})),
            Make("cohere", kJson,
                 R"({"id":"r1","finish_reason":"COMPLETE","message":{"role":"assistant","content":[{"type":"text","text":"Grüße 日本"}]},"usage":{"billed_units":{"input_tokens":9,"output_tokens":4},"tokens":{"input_tokens":9,"output_tokens":4}}})"),
            Make(
                "cohere-stream", kEvents,
                NamedEvents(
                    {{"message-start",
                      R"({"id":"r1","type":"message-start","delta":{"message":{"role":"assistant","content":[]}}})"},
                     {"content-start",
                      R"({"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}})"},
                     {"content-delta",
                      R"({"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Grüße 日本"}}}})"},
                     {"content-end", R"({"type":"content-end","index":0})"},
                     {"message-end",
                      R"({"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"tokens":{"input_tokens":9,"output_tokens":4}}}})"}})),
            Make(
                "cloudflare", kJson,
                R"({"result":{"response":"Grüße 日本","usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}},"success":true,"errors":[],"messages":[]})"),
            Make(
                "cloudflare-stream", kEvents,
                Events(
                    {R"({"response":"Grüße "})", R"({"response":"日本"})",
                     R"({"response":"","usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}})",
                     "[DONE]"})),
            Make(
                "text-generation", kJson,
                R"([{"generated_text":"Grüße 日本","details":{"finish_reason":"eos_token","generated_tokens":4}}])"),
            Make(
                "ollama", kJson,
                R"({"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"Grüße 日本"},"done":true,"done_reason":"stop","prompt_eval_count":9,"eval_count":4})"),
            Make(
                "ollama-stream", "application/x-ndjson",
                R"({"model":"m","message":{"role":"assistant","content":"Grüße 日本"},"done":false})"
                "\n"
                R"({"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":9,"eval_count":4})"
                "\n"),
        };
    return samples;
}

Result<Sample> ReadSample(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(in), {});
    if (!in.good() && !in.eof())
        return Fail(ErrorKind::kInvalidRequest, file.string() + " cannot be read");
    Sample sample;
    sample.name = file.filename().string();
    sample.streamed = sample.name.find("stream") != std::string::npos;
    std::string_view rest = text;
    bool first = true;
    while (true) {
        const std::size_t end = rest.find('\n');
        if (end == std::string_view::npos) break;
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(end + 1);
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (line.empty() && !first) {
            sample.answer.body = rest;
            return sample;
        }
        if (first) {
            const std::size_t space = line.find(' ');
            const std::string_view digits =
                space == std::string_view::npos ? line : line.substr(space + 1, 3);
            const auto parsed =
                std::from_chars(digits.data(), digits.data() + digits.size(), sample.answer.status);
            if (parsed.ec != std::errc() || sample.answer.status < 100) break;
            first = false;
            continue;
        }
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) break;
        std::string_view value = line.substr(colon + 1);
        value.remove_prefix(std::min(value.size(), value.find_first_not_of(' ')));
        sample.answer.headers.emplace_back(line.substr(0, colon), value);
        if (value.rfind(kEvents, 0) == 0) sample.streamed = true;
    }
    return Fail(ErrorKind::kInvalidRequest,
                file.string() +
                    " is no answer: expected a status line (HTTP/1.1 200 OK), headers, an empty "
                    "line and the body");
}

}  // namespace aim::cli::kit
