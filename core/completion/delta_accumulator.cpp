#include "core/completion/delta_accumulator.hpp"

#include <algorithm>

namespace aim::completion {
namespace {

// In a whole answer the newest value of a field counts (aim/abi/sink.h).
void PutExtra(std::vector<ExtraField>& fields, std::string_view name, std::string_view json) {
    const auto known = std::find_if(fields.begin(), fields.end(),
                                    [&](const ExtraField& f) { return f.name == name; });
    if (known == fields.end()) {
        fields.push_back({std::string(name), std::string(json)});
    } else {
        known->json = json;
    }
}

}  // namespace

const std::string& ChatResponse::text() const {
    static const std::string kNone;
    return choices.empty() ? kNone : choices.front().text;
}

bool ChatResponse::finished() const {
    return !choices.empty() && std::all_of(choices.begin(), choices.end(),
                                           [](const Choice& c) { return c.finish.has_value(); });
}

Choice* DeltaAccumulator::ChoiceAt(std::uint32_t choice) {
    if (choice >= kMaxChoices) return nullptr;
    if (choice >= response_.choices.size()) response_.choices.resize(choice + 1);
    return &response_.choices[choice];
}

bool DeltaAccumulator::Add(const DeltaBatch& batch) {
    bytes_ += batch.text_bytes();
    if (bytes_ > max_bytes_) return false;
    if (batch.has_usage()) response_.usage.Merge(batch.usage());
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (!AddOne(batch[i])) return false;
    }
    return true;
}

bool DeltaAccumulator::AddOne(const DeltaBatch::Delta& delta) {
    if (delta.kind == DeltaKind::kExtra && delta.scope == ExtraScope::kResponse) {
        PutExtra(response_.extras, delta.name, delta.text);
        return true;
    }
    Choice* choice = ChoiceAt(delta.choice);
    if (choice == nullptr) return false;
    switch (delta.kind) {
        case DeltaKind::kText:
            choice->text.append(delta.text);
            return true;
        case DeltaKind::kReasoning:
            choice->reasoning.append(delta.text);
            return true;
        case DeltaKind::kRefusal:
            choice->refusal.append(delta.text);
            return true;
        case DeltaKind::kFinish:
            choice->finish = delta.finish;
            return true;
        case DeltaKind::kToolCall: {
            if (delta.index >= kMaxToolCalls) return false;
            if (delta.index >= choice->tool_calls.size())
                choice->tool_calls.resize(delta.index + 1);
            ToolCall& call = choice->tool_calls[delta.index];
            if (call.id.empty()) call.id = delta.id;
            if (call.name.empty()) call.name = delta.name;
            call.arguments.append(delta.text);
            return true;
        }
        case DeltaKind::kExtra:
            if (delta.scope == ExtraScope::kChoice)
                PutExtra(choice->choice_extras, delta.name, delta.text);
            if (delta.scope == ExtraScope::kMessage)
                PutExtra(choice->message_extras, delta.name, delta.text);
            if (delta.scope == ExtraScope::kToolCall && delta.index < choice->tool_calls.size()) {
                PutExtra(choice->tool_calls[delta.index].extras, delta.name, delta.text);
            }
            return true;
    }
    return true;
}

}  // namespace aim::completion
