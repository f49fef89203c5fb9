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

// Whether `members` (each with a comma before it) have that one. A value that looks like a member
// is taken for it, too: extras then stand in a chunk of their own, or without a null beside them.
bool HasMember(std::string_view members, std::string_view name) {
    if (members.empty()) return false;
    std::string key(",");
    json::AppendQuoted(name, key);
    key.push_back(':');
    return members.find(key) != std::string_view::npos;
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

void OpenAiStreamWriter::Open(std::uint32_t choice, std::string& out) {
    Close(out);
    out.append(head_).append("{\"index\":").append(std::to_string(choice)).append(",\"delta\":{");
    open_ = true;
    bare_ = true;
    open_choice_ = choice;
}

void OpenAiStreamWriter::Close(std::string& out) {
    if (!open_) return;
    open_ = false;
    if (!message_extras_.empty())
        out.append(std::string_view(message_extras_).substr(out.back() == '{' ? 1 : 0));
    out.push_back('}');
    if (!HasMember(choice_extras_, "logprobs")) out.append(",\"logprobs\":null");
    out.append(choice_extras_).append(",\"finish_reason\":");
    if (finish_.empty()) {
        out.append("null");
    } else {
        json::AppendQuoted(finish_, out);
    }
    out.append("}").append(tail_).append(response_extras_).append("}\n\n");
    message_extras_.clear();
    choice_extras_.clear();
    response_extras_.clear();
    finish_ = {};
}

void OpenAiStreamWriter::Begin(std::uint32_t choice, std::string& out) {
    if (choice >= role_sent_.size()) role_sent_.resize(choice + 1);
    if (!role_sent_[choice]) {
        role_sent_[choice] = true;
        Open(choice, out);
        out.append("\"role\":\"assistant\",\"content\":\"\"");
    }
    Open(choice, out);
}

void OpenAiStreamWriter::AppendExtra(const completion::DeltaBatch::Delta& delta, std::string& out) {
    if (delta.scope == ExtraScope::kToolCall) {
        // It has no other place than a piece of that call.
        Begin(delta.choice, out);
        bare_ = false;
        out.append("\"tool_calls\":[{\"index\":")
            .append(std::to_string(delta.index))
            .append(",\"function\":{\"arguments\":\"\"}");
        AppendMember(delta.name, delta.text, out);
        out.append("}]");
        return;
    }
    if (delta.scope == ExtraScope::kResponse) {
        if (HasMember(response_extras_, delta.name)) CloseWithResponseExtras(out);
        return AppendMember(delta.name, delta.text, response_extras_);
    }
    std::string& extras = delta.scope == ExtraScope::kChoice ? choice_extras_ : message_extras_;
    if (!open_ || open_choice_ != delta.choice || HasMember(extras, delta.name))
        Begin(delta.choice, out);
    AppendMember(delta.name, delta.text, extras);
}

void OpenAiStreamWriter::CloseWithResponseExtras(std::string& out) {
    if (!open_) Begin(0, out);
    Close(out);
}

void OpenAiStreamWriter::AppendOne(const completion::DeltaBatch::Delta& delta, std::string& out) {
    if (delta.kind == DeltaKind::kExtra) return AppendExtra(delta, out);
    if (delta.kind == DeltaKind::kFinish) {
        if (!open_ || !bare_ || open_choice_ != delta.choice) Begin(delta.choice, out);
        bare_ = false;
        finish_ = completion::FinishReasonName(delta.finish);
        return;
    }
    Begin(delta.choice, out);
    bare_ = false;
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
}

void OpenAiStreamWriter::AppendBatch(const completion::DeltaBatch& batch, std::string& out) {
    for (std::size_t i = 0; i < batch.size(); ++i) AppendOne(batch[i], out);
    Close(out);
    if (!response_extras_.empty()) CloseWithResponseExtras(out);
}

void OpenAiStreamWriter::AppendEnd(const completion::Usage& usage, std::string& out) {
    if (include_usage_ && !usage.empty()) {
        out.append(head_).append("],\"usage\":");
        AppendUsage(usage, out);
        out.append("}\n\n");
    }
    out.append("data: [DONE]\n\n");
}

void OpenAiStreamWriter::AppendError(std::string_view message, std::string_view type,
                                     std::string_view code, std::string& out) {
    out.append("data: {\"error\":{\"message\":");
    json::AppendQuoted(message, out);
    out.append(",\"type\":");
    json::AppendQuoted(type, out);
    out.append(",\"param\":null,\"code\":");
    json::AppendQuoted(code, out);
    out.append("}}\n\n");
}

}  // namespace aim::dialect
