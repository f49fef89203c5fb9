#include "core/completion/chat_delta.hpp"

#include <utility>

#include "core/completion/chat_request.hpp"

namespace aim::completion {

void Usage::Merge(Usage newer) {
    if (newer.prompt_tokens) prompt_tokens = newer.prompt_tokens;
    if (newer.completion_tokens) completion_tokens = newer.completion_tokens;
    if (newer.total_tokens) total_tokens = newer.total_tokens;
    if (newer.cached_tokens) cached_tokens = newer.cached_tokens;
    if (newer.cache_write_tokens) cache_write_tokens = newer.cache_write_tokens;
    if (newer.reasoning_tokens) reasoning_tokens = newer.reasoning_tokens;
    if (!newer.json.empty()) json = std::move(newer.json);
}

std::string_view ChatRequest::PromptText() const {
    for (auto it = messages.rbegin(); it != messages.rend(); ++it) {
        if (it->role == Role::kUser) return it->text;
    }
    return messages.empty() ? std::string_view() : std::string_view(messages.back().text);
}

DeltaBatch::Record& DeltaBatch::Append(DeltaKind kind, std::uint32_t choice, std::string_view text,
                                       std::string_view id, std::string_view name) {
    Record record{};
    record.kind = kind;
    record.choice = choice;
    record.at = static_cast<std::uint32_t>(text_.size());
    record.text_size = static_cast<std::uint32_t>(text.size());
    record.id_size = static_cast<std::uint32_t>(id.size());
    record.name_size = static_cast<std::uint32_t>(name.size());
    if (records_.empty()) records_.reserve(4);  // an answer that comes at once
    text_.append(text).append(id).append(name);
    return records_.emplace_back(record);
}

void DeltaBatch::AddText(DeltaKind kind, std::uint32_t choice, std::string_view text) {
    if (text.empty()) return;
    Append(kind, choice, text, {}, {});
    has_content_ = true;
}

void DeltaBatch::AddToolCall(std::uint32_t choice, std::uint32_t index, std::string_view id,
                             std::string_view name, std::string_view arguments) {
    Append(DeltaKind::kToolCall, choice, arguments, id, name).index = index;
    has_content_ = true;
}

void DeltaBatch::AddFinish(std::uint32_t choice, FinishReason reason) {
    Append(DeltaKind::kFinish, choice, {}, {}, {}).detail = static_cast<std::int32_t>(reason);
}

void DeltaBatch::AddExtra(ExtraScope scope, std::uint32_t choice, std::uint32_t index,
                          std::string_view name, std::string_view json) {
    Record& record = Append(DeltaKind::kExtra, choice, json, {}, name);
    record.index = index;
    record.detail = static_cast<std::int32_t>(scope);
}

void DeltaBatch::MergeUsage(Usage usage) {
    usage_.Merge(std::move(usage));
    has_usage_ = true;
}

void DeltaBatch::Clear() {
    text_.clear();
    records_.clear();
    if (has_usage_) usage_ = Usage();
    has_usage_ = false;
    has_content_ = false;
}

DeltaBatch::Delta DeltaBatch::operator[](std::size_t i) const {
    const Record& record = records_[i];
    const std::string_view all = std::string_view(text_).substr(record.at);
    Delta delta{};
    delta.kind = record.kind;
    delta.choice = record.choice;
    delta.index = record.index;
    delta.finish = record.kind == DeltaKind::kFinish ? static_cast<FinishReason>(record.detail)
                                                     : FinishReason::kStop;
    delta.scope = record.kind == DeltaKind::kExtra ? static_cast<ExtraScope>(record.detail)
                                                   : ExtraScope::kResponse;
    delta.text = all.substr(0, record.text_size);
    delta.id = all.substr(record.text_size, record.id_size);
    delta.name = all.substr(record.text_size + record.id_size, record.name_size);
    return delta;
}

}  // namespace aim::completion
