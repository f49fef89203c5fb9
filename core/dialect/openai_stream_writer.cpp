#include <algorithm>

#include "core/dialect/openai_chat.hpp"
#include "core/json/writer.hpp"

namespace aim::dialect {
namespace {

using completion::DeltaKind;
using completion::ExtraScope;

void AppendMember(std::string_view name, std::string_view json, std::string& out) {
    out.push_back(',');
    json::AppendQuoted(name, out);
    out.push_back(':');
    out.append(json);
}

}  // namespace

OpenAiStreamWriter::OpenAiStreamWriter(CompletionIdentity identity, bool include_usage)
    : include_usage_(include_usage) {
    head_ = "data: {\"id\":";
    json::AppendQuoted(identity.id, head_);
    head_ += ",\"object\":\"chat.completion.chunk\",\"created\":" +
             std::to_string(identity.created_unix_s) + ",\"model\":";
    json::AppendQuoted(identity.model, head_);
    head_ += ",\"choices\":[";
    tail_ = include_usage ? "],\"usage\":null" : "]";
}

OpenAiStreamWriter::ChoiceState& OpenAiStreamWriter::State(std::uint32_t choice) {
    if (choice >= choices_.size()) choices_.resize(choice + 1);
    return choices_[choice];
}

void OpenAiStreamWriter::Open(std::uint32_t choice, std::string& out) {
    out.append(head_).append("{\"index\":").append(std::to_string(choice)).append(",\"delta\":{");
}

void OpenAiStreamWriter::Close(std::uint32_t choice, std::string_view finish, std::string& out) {
    ChoiceState& state = State(choice);
    if (!state.message_extras.empty()) {
        const bool first = out.back() == '{';
        out.append(first ? std::string_view(state.message_extras).substr(1)
                         : std::string_view(state.message_extras));
        state.message_extras.clear();
    }
    out.push_back('}');
    if (state.choice_extras.find("\"logprobs\":") == std::string::npos)
        out.append(",\"logprobs\":null");
    out.append(state.choice_extras).append(",\"finish_reason\":");
    state.choice_extras.clear();
    if (finish.empty()) {
        out.append("null");
    } else {
        json::AppendQuoted(finish, out);
    }
    out.append("}").append(tail_).append(response_extras_).append("}\n\n");
    response_extras_.clear();
}

void OpenAiStreamWriter::AppendRole(std::uint32_t choice, std::string& out) {
    ChoiceState& state = State(choice);
    if (state.role_sent) return;
    state.role_sent = true;
    Open(choice, out);
    out.append("\"role\":\"assistant\",\"content\":\"\"");
    Close(choice, {}, out);
}

void OpenAiStreamWriter::AppendOne(const completion::DeltaBatch::Delta& delta, std::string& out) {
    if (delta.kind == DeltaKind::kExtra) {
        if (delta.scope == ExtraScope::kResponse) {
            AppendMember(delta.name, delta.text, response_extras_);
        } else if (delta.scope == ExtraScope::kChoice) {
            AppendMember(delta.name, delta.text, State(delta.choice).choice_extras);
        } else if (delta.scope == ExtraScope::kMessage) {
            AppendMember(delta.name, delta.text, State(delta.choice).message_extras);
        } else {
            // A field inside a tool call has no other place than a piece of that call.
            AppendRole(delta.choice, out);
            Open(delta.choice, out);
            out.append("\"tool_calls\":[{\"index\":")
                .append(std::to_string(delta.index))
                .append(",\"function\":{\"arguments\":\"\"}");
            AppendMember(delta.name, delta.text, out);
            out.append("}]");
            Close(delta.choice, {}, out);
        }
        return;
    }
    AppendRole(delta.choice, out);
    Open(delta.choice, out);
    switch (delta.kind) {
        case DeltaKind::kText:
            out.append("\"content\":");
            json::AppendQuoted(delta.text, out);
            break;
        case DeltaKind::kReasoning:
            out.append("\"reasoning_content\":");
            json::AppendQuoted(delta.text, out);
            break;
        case DeltaKind::kRefusal:
            out.append("\"refusal\":");
            json::AppendQuoted(delta.text, out);
            break;
        case DeltaKind::kToolCall:
            out.append("\"tool_calls\":[{\"index\":").append(std::to_string(delta.index));
            if (!delta.id.empty()) {
                out.append(",\"id\":");
                json::AppendQuoted(delta.id, out);
                out.append(",\"type\":\"function\"");
            }
            out.append(",\"function\":{");
            if (!delta.name.empty()) {
                out.append("\"name\":");
                json::AppendQuoted(delta.name, out);
                out.push_back(',');
            }
            out.append("\"arguments\":");
            json::AppendQuoted(delta.text, out);
            out.append("}}]");
            break;
        case DeltaKind::kFinish:
        case DeltaKind::kExtra:
            break;
    }
    Close(delta.choice,
          delta.kind == DeltaKind::kFinish ? completion::FinishReasonName(delta.finish)
                                           : std::string_view(),
          out);
}

void OpenAiStreamWriter::AppendBatch(const completion::DeltaBatch& batch, std::string& out) {
    for (std::size_t i = 0; i < batch.size(); ++i) AppendOne(batch[i], out);
}

void OpenAiStreamWriter::AppendEnd(const completion::Usage& usage, std::string& out) {
    if (include_usage_ && !usage.empty()) {
        out.append(head_).append("],\"usage\":");
        AppendUsage(usage, out);
        out.append("}\n\n");
    }
    out.append("data: [DONE]\n\n");
}

void OpenAiStreamWriter::AppendError(const Error& error, std::string_view type, std::string& out) {
    out.append("data: {\"error\":{\"message\":");
    json::AppendQuoted(error.message, out);
    out.append(",\"type\":");
    json::AppendQuoted(type, out);
    out.append(",\"param\":null,\"code\":");
    json::AppendQuoted(
        error.code.empty() ? ErrorKindName(error.kind) : std::string_view(error.code), out);
    out.append("}}\n\n");
}

}  // namespace aim::dialect
