#include "core/dialect/native_prompt.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/dialect/field_reader.hpp"
#include "core/json/json.hpp"
#include "core/json/writer.hpp"

namespace aim::dialect {
namespace {

std::size_t CountCharacters(std::string_view utf8) {
    return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

void AppendMessage(completion::Role role, std::string_view role_name, std::string_view text,
                   completion::ChatRequest& request) {
    json::Writer writer(request.members);
    writer.BeginObject().Field("role", role_name).Field("content", text).EndObject();
    completion::ChatMessage message;
    message.role = role;
    message.text = text;
    request.messages.push_back(std::move(message));
}

}  // namespace

std::optional<std::int64_t> TelegramId(std::string_view user_id) {
    constexpr std::string_view kPrefix = "telegram_";
    if (!user_id.starts_with(kPrefix)) return std::nullopt;
    const std::string_view digits = user_id.substr(kPrefix.size());
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size())
        return std::nullopt;
    return id;
}

Result<completion::ChatRequest> ReadNativePrompt(std::string_view body) {
    auto document = json::Parse(body);
    if (!document) return Unexpected(std::move(document.error()));
    const json::Value root = document->root();
    if (!root.IsObject()) return FailField("", "The body must be a JSON object.");

    completion::ChatRequest request;
    FieldReader fields(root);
    const auto prompt = fields.Text("prompt");
    const auto system = fields.Text("system");
    request.model = fields.Text("model").value_or("");
    request.user_id = fields.Text("user_id").value_or("");
    request.username = fields.Text("username").value_or("");
    request.user_telegram_id = fields.Integer("user_telegram_id", INT64_MIN, INT64_MAX);
    request.max_tokens = fields.Integer("max_tokens", 1, 10'000'000).value_or(-1);
    request.temperature = fields.Number("temperature", 0, 2).value_or(std::nan(""));
    request.top_p = fields.Number("top_p", 0, 1).value_or(std::nan(""));
    request.fallback = fields.Bool("fallback").value_or(true);
    if (fields.error()) return Unexpected(*fields.error());
    if (!prompt) return FailField("prompt", "The field 'prompt' is required.");
    if (prompt->empty()) return FailField("prompt", "The field 'prompt' must not be empty.");
    if (prompt->size() > kMaxPromptCharacters && CountCharacters(*prompt) > kMaxPromptCharacters) {
        return FailField("prompt", "The field 'prompt' is longer than 1000000 characters.");
    }
    if (request.model == "auto") request.model.clear();
    if (!request.user_telegram_id) request.user_telegram_id = TelegramId(request.user_id);

    request.members = "\"messages\":[";
    if (system && !system->empty()) {
        AppendMessage(completion::Role::kSystem, "system", *system, request);
        request.members.push_back(',');
    }
    AppendMessage(completion::Role::kUser, "user", *prompt, request);
    request.members.push_back(']');
    if (request.max_tokens > 0)
        request.members += ",\"max_tokens\":" + std::to_string(request.max_tokens);
    for (const char* name : {"temperature", "top_p"}) {
        if (root.Get(name).IsNumber()) {
            request.members.append(",\"").append(name).append("\":");
            root.Get(name).AppendJson(request.members);
        }
    }
    return request;
}

void AppendAttempts(const std::vector<NativeAnswer::Attempt>& attempts, std::string& out) {
    json::Writer writer(out);
    writer.BeginArray();
    for (const NativeAnswer::Attempt& attempt : attempts) {
        writer.BeginObject()
            .Field("model", attempt.model)
            .Field("provider", attempt.provider)
            .Field("outcome", attempt.outcome)
            .Field("duration_ms", attempt.duration.count())
            .EndObject();
    }
    writer.EndArray();
}

std::string WriteNativeAnswer(const completion::ChatResponse& response,
                              const NativeAnswer& answer) {
    std::string out;
    out.reserve(response.text().size() + 640);
    json::Writer writer(out);
    writer.BeginObject();
    writer.Field("response", response.text());
    writer.Key("model_used")
        .BeginObject()
        .Field("id", answer.model.id)
        .Field("name", answer.model.name)
        .Field("provider", answer.model.provider);
    writer.Key("reliability_score").Decimal(answer.model.reliability_score).EndObject();
    writer.Field("processing_time_ms", answer.processing_time.count());
    writer.Field("request_id", answer.request_id);
    writer.Key("usage")
        .BeginObject()
        .Field("prompt_tokens", response.usage.prompt_tokens)
        .Field("completion_tokens", response.usage.completion_tokens)
        .Field("total_tokens", response.usage.total_tokens)
        .EndObject();
    const bool finished = !response.choices.empty() && response.choices.front().finish.has_value();
    writer.Field("finish_reason",
                 completion::FinishReasonName(finished ? *response.choices.front().finish
                                                       : completion::FinishReason::kStop));
    std::string attempts;
    AppendAttempts(answer.attempts, attempts);
    writer.Key("attempts").Raw(attempts).EndObject();
    return out;
}

}  // namespace aim::dialect
