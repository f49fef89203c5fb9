#include "core/dialect/openai_chat.hpp"
#include "core/json/writer.hpp"

namespace aim::dialect {
namespace {

void AppendExtras(const std::vector<completion::ExtraField>& extras, json::Writer& writer) {
    for (const completion::ExtraField& extra : extras) writer.Key(extra.name).Raw(extra.json);
}

// An OpenAI-shaped usage object is passed on whole: fields that are re-typed one by one get lost
// one by one.
bool IsPassedOn(const completion::Usage& usage) {
    return usage.total_tokens && usage.json.find("\"prompt_tokens\"") != std::string::npos;
}

bool HasExtra(const std::vector<completion::ExtraField>& extras, std::string_view name) {
    for (const completion::ExtraField& extra : extras) {
        if (extra.name == name) return true;
    }
    return false;
}

void AppendMessage(const completion::Choice& choice, json::Writer& writer) {
    writer.BeginObject().Field("role", "assistant");
    const bool only_calls =
        choice.text.empty() && (!choice.tool_calls.empty() || !choice.refusal.empty());
    if (only_calls) {
        writer.Key("content").Null();
    } else {
        writer.Field("content", choice.text);
    }
    if (!choice.reasoning.empty()) writer.Field("reasoning_content", choice.reasoning);
    if (choice.refusal.empty()) {
        writer.Key("refusal").Null();
    } else {
        writer.Field("refusal", choice.refusal);
    }
    if (!choice.tool_calls.empty()) {
        writer.Key("tool_calls").BeginArray();
        for (const completion::ToolCall& call : choice.tool_calls) {
            writer.BeginObject().Field("id", call.id).Field("type", "function");
            writer.Key("function")
                .BeginObject()
                .Field("name", call.name)
                .Field("arguments", call.arguments)
                .EndObject();
            AppendExtras(call.extras, writer);
            writer.EndObject();
        }
        writer.EndArray();
    }
    AppendExtras(choice.message_extras, writer);
    writer.EndObject();
}

}  // namespace

void AppendUsage(const completion::Usage& usage, std::string& out) {
    if (IsPassedOn(usage)) {
        out.append(usage.json);
        return;
    }
    const std::int64_t prompt = usage.prompt_tokens.value_or(0);
    const std::int64_t completion = usage.completion_tokens.value_or(0);
    json::Writer writer(out);
    writer.BeginObject()
        .Field("prompt_tokens", prompt)
        .Field("completion_tokens", completion)
        .Field("total_tokens", usage.total_tokens.value_or(prompt + completion));
    if (usage.cached_tokens) {
        writer.Key("prompt_tokens_details")
            .BeginObject()
            .Field("cached_tokens", *usage.cached_tokens)
            .EndObject();
    }
    if (usage.reasoning_tokens) {
        writer.Key("completion_tokens_details")
            .BeginObject()
            .Field("reasoning_tokens", *usage.reasoning_tokens)
            .EndObject();
    }
    writer.EndObject();
}

std::string WriteChatCompletion(const completion::ChatResponse& response,
                                const CompletionIdentity& identity) {
    std::string out;
    out.reserve(response.text().size() + response.usage.json.size() + 512);
    json::Writer writer(out);
    writer.BeginObject()
        .Field("id", identity.id)
        .Field("object", "chat.completion")
        .Field("created", identity.created_unix_s)
        .Field("model", identity.model);
    writer.Key("choices").BeginArray();
    std::uint32_t index = 0;
    for (const completion::Choice& choice : response.choices) {
        writer.BeginObject().Field("index", index++).Key("message");
        AppendMessage(choice, writer);
        if (!HasExtra(choice.choice_extras, "logprobs")) writer.Key("logprobs").Null();
        AppendExtras(choice.choice_extras, writer);
        writer.Field("finish_reason", completion::FinishReasonName(
                                          choice.finish.value_or(completion::FinishReason::kStop)));
        writer.EndObject();
    }
    writer.EndArray();
    if (!response.usage.empty()) {
        writer.Key("usage");
        if (IsPassedOn(response.usage)) {
            writer.Raw(response.usage.json);
        } else {
            std::string usage;
            AppendUsage(response.usage, usage);
            writer.Raw(usage);
        }
    }
    for (const completion::ExtraField& extra : response.extras) {
        if (extra.name == "id" || extra.name == "object" || extra.name == "created" ||
            extra.name == "model")
            continue;
        writer.Key(extra.name).Raw(extra.json);
    }
    writer.EndObject();
    return out;
}

}  // namespace aim::dialect
