#include "core/plugin/session_sink.hpp"

#include <algorithm>
#include <utility>

#include "core/base/random.hpp"
#include "core/json/scan.hpp"
#include "core/plugin/abi_text.hpp"

namespace aim::plugin {
namespace {

// What a provider repeats in an object of its own is not its plugin's fault.
constexpr json::Limits kProvidersOwn = {.refuse_duplicate_keys = false};

using completion::DeltaKind;

constexpr std::size_t kMaxErrorText = 4096;
constexpr std::uint64_t kMaxWaitMs = 60'000;
constexpr std::size_t kMaxChoices = 128;
constexpr std::size_t kMaxTextStates = kMaxChoices * 3;
constexpr std::size_t kMaxToolCalls = 1024;

std::string CleanText(std::string_view text, std::size_t limit) {
    std::string clean;
    SanitizeUtf8(TruncateUtf8(text, limit), clean);
    clean.resize(TruncateUtf8(clean, limit).size());  // a byte that is replaced becomes three
    return clean;
}

std::string MakeCallId(uint64_t seed, uint32_t choice, uint32_t index) {
    const auto random = MakeSeededRandom(seed ^ (uint64_t{choice} << 32 | index));
    std::string id = "call_";
    for (int i = 0; i < 24; ++i)
        id.push_back("0123456789abcdefghijklmnopqrstuvwxyz"[random->Next() % 36]);
    return id;
}

// Sizes come from the plugin: their sum must not wrap.
std::size_t SumOf(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
    constexpr std::uint64_t kMost = SessionSink::kMaxOutputBytes + 1;
    return std::min(a, kMost) + std::min(b, kMost) + std::min(c, kMost);
}

std::optional<std::int64_t> Tokens(std::int64_t value) {
    return value < 0 ? std::nullopt : std::optional<std::int64_t>(value);
}

}  // namespace

SessionSink::SessionSink(uint64_t seed, Conduct* conduct)
    : conduct_(conduct), gate_(SinkGate::Acquire(*this, conduct)), seed_(seed) {
    // Once a gate: a plugin that kept its pointer may be reading the table at this moment.
    if (gate_.table().struct_size == 0) FillTables(gate_);
}

void SessionSink::FillTables(SinkGate& gate) {
    aim_models_sink& models = gate.models();
    models.struct_size = sizeof models;
    models.context = &gate;
    models.model = &OnModel;
    aim_embeddings_sink& embeddings = gate.embeddings();
    embeddings.struct_size = sizeof embeddings;
    embeddings.context = &gate;
    embeddings.embedding = &OnEmbedding;
    aim_sink& table = gate.table();
    table.struct_size = sizeof(aim_sink);
    table.context = &gate;
    table.text = &OnText;
    table.reasoning = &OnReasoning;
    table.refusal = &OnRefusal;
    table.tool_call = &OnToolCall;
    table.usage = &OnUsage;
    table.finish = &OnFinish;
    table.extra = &OnExtra;
    table.error = &OnError;
    table.wait = &OnWait;
    table.get_extension = &OnExtension;
}

const aim_sink* SessionSink::Open(completion::DeltaBatch* batch, std::size_t input_bytes) {
    batch_ = batch;
    call_bytes_ = 0;
    call_items_ = 0;
    call_limit_ = kMaxCallBytes + 4 * input_bytes;
    item_limit_ = kMaxCallItems + input_bytes / kBytesAnItem;
    gate_.Open();
    return &gate_.table();
}

void SessionSink::Misbehaved(std::string_view what) {
    ++misbehaviour_;
    if (conduct_ != nullptr) conduct_->Count(Misbehaviour::kInvalidOutput, what);
}

bool SessionSink::Take(std::size_t bytes) {
    if (batch_ == nullptr) {
        Misbehaved("output in a call that takes none");
        return false;
    }
    // A size that is a lie must not make the sum small again.
    bytes = std::min(bytes, kMaxOutputBytes + 1);
    bytes_ += bytes;
    call_bytes_ += bytes;
    return !overflowed();
}

// What is kept whole, however short it is.
bool SessionSink::TakeItem(std::size_t bytes) {
    ++call_items_;
    return Take(bytes);
}

void SessionSink::AddText(DeltaKind kind, uint32_t choice, aim_str text) {
    const std::string_view piece = View(text);
    if (piece.empty() || !TakeItem(piece.size())) return;
    // A piece may end inside a character; what is held back comes with the next one.
    clean_.clear();
    auto state = std::find_if(text_states_.begin(), text_states_.end(), [&](const TextState& s) {
        return s.kind == kind && s.choice == choice;
    });
    if (state == text_states_.end()) {
        if (text_states_.size() >= kMaxTextStates) {
            Misbehaved("text for more than 128 choices");
            return;
        }
        state = text_states_.insert(text_states_.end(), TextState{kind, choice, {}});
    }
    state->sanitizer.Feed(piece, clean_);
    batch_->AddText(kind, choice, clean_);
}

void SessionSink::OnText(void* context, uint32_t choice, aim_str text) {
    if (SessionSink* self = Self(context)) self->AddText(DeltaKind::kText, choice, text);
}

void SessionSink::OnReasoning(void* context, uint32_t choice, aim_str text) {
    if (SessionSink* self = Self(context)) self->AddText(DeltaKind::kReasoning, choice, text);
}

void SessionSink::OnRefusal(void* context, uint32_t choice, aim_str text) {
    if (SessionSink* self = Self(context)) self->AddText(DeltaKind::kRefusal, choice, text);
}

void SessionSink::OnToolCall(void* context, uint32_t choice, uint32_t index, aim_str id,
                             aim_str name, aim_str arguments) {
    SessionSink* self = Self(context);
    if (self == nullptr || !self->TakeItem(SumOf(id.size, name.size, arguments.size))) return;
    // Id and name are given once, with the first piece, also when the provider repeats them.
    std::string clean_id;
    std::string clean_name;
    const std::pair<uint32_t, uint32_t> call(choice, index);
    if (std::find(self->calls_.begin(), self->calls_.end(), call) == self->calls_.end()) {
        if (self->calls_.size() >= kMaxToolCalls) {
            self->Misbehaved("more than 1024 tool calls");
            return;
        }
        self->calls_.push_back(call);
        clean_id = CleanText(View(id), 256);
        if (clean_id.empty()) clean_id = MakeCallId(self->seed_, choice, index);
        clean_name = CleanText(View(name), 256);
    }
    std::string clean_arguments;
    SanitizeUtf8(View(arguments), clean_arguments);
    self->batch_->AddToolCall(choice, index, clean_id, clean_name, clean_arguments);
}

void SessionSink::OnUsage(void* context, const aim_usage* usage) {
    SessionSink* self = Self(context);
    if (self == nullptr || usage == nullptr) return;
    if (!AIM_HAS(usage, aim_usage, json))
        return self->Misbehaved("a usage whose struct_size is too small");
    if (!self->Take(0)) return;
    completion::Usage merged;
    merged.prompt_tokens = Tokens(usage->prompt_tokens);
    merged.completion_tokens = Tokens(usage->completion_tokens);
    merged.total_tokens = Tokens(usage->total_tokens);
    merged.cached_tokens = Tokens(usage->cached_tokens);
    merged.cache_write_tokens = Tokens(usage->cache_write_tokens);
    merged.reasoning_tokens = Tokens(usage->reasoning_tokens);
    const std::string_view whole = View(usage->json);
    const bool is_object =
        whole.substr(std::min(whole.find_first_not_of(" \t\r\n"), whole.size())).starts_with('{');
    if (is_object && whole.size() <= 16 * 1024 && json::IsValidValue(whole, kProvidersOwn))
        merged.json = whole;
    self->batch_->MergeUsage(std::move(merged));
}

void SessionSink::OnFinish(void* context, uint32_t choice, int32_t reason) {
    SessionSink* self = Self(context);
    if (self == nullptr || !self->TakeItem(0)) return;
    std::vector<uint32_t>& finished = self->finished_choices_;
    if (std::find(finished.begin(), finished.end(), choice) != finished.end())
        return self->Misbehaved("a second finish for a choice");
    if (finished.size() >= kMaxChoices) return self->Misbehaved("more than 128 finishes");
    finished.push_back(choice);
    for (TextState& state : self->text_states_) {
        if (state.choice != choice) continue;
        self->clean_.clear();
        state.sanitizer.Finish(self->clean_);
        self->batch_->AddText(state.kind, choice, self->clean_);
    }
    self->batch_->AddFinish(choice, completion::FinishReasonFromAbi(reason));
}

void SessionSink::OnExtra(void* context, int32_t scope, uint32_t choice, uint32_t index,
                          aim_str name, aim_str json) {
    SessionSink* self = Self(context);
    if (self == nullptr || scope < 0 || scope > 3 || View(name).empty() || name.size > 128) return;
    if (!self->TakeItem(json.size)) return;
    if (!json::IsValidValue(View(json), kProvidersOwn)) {
        self->Misbehaved("an extra field that is no JSON value");
        return;
    }
    const std::string clean_name = CleanText(View(name), 128);
    self->batch_->AddExtra(static_cast<completion::ExtraScope>(scope), choice, index, clean_name,
                           View(json));
}

void SessionSink::OnError(void* context, const aim_error* error) {
    SessionSink* self = Self(context);
    if (self == nullptr || error == nullptr || self->has_error_) return;
    if (!AIM_HAS(error, aim_error, field))
        return self->Misbehaved("an error whose struct_size is too small");
    self->has_error_ = true;
    self->error_.kind = ErrorKindFromAbi(error->kind);
    self->error_.message = CleanText(View(error->message), kMaxErrorText);
    self->error_.code = CleanText(View(error->code), 128);
    self->error_.field = CleanText(View(error->field), 128);
    self->error_.upstream_status = error->upstream_status;
    if (error->retry_after_ms >= 0)
        self->error_.retry_after = std::chrono::milliseconds(error->retry_after_ms);
}

void SessionSink::OnWait(void* context, uint64_t milliseconds) {
    if (SessionSink* self = Self(context)) {
        self->wait_ = std::chrono::milliseconds(std::min(milliseconds, kMaxWaitMs));
    }
}

// Each interface has one extension, or none; what belongs to another one is not there.
const void* SessionSink::OnExtension(void* context, const char* id) {
    SessionSink* self = Self(context);
    if (self == nullptr || id == nullptr || self->extension_ == nullptr) return nullptr;
    const std::string_view wanted = id;
    if (wanted != self->extension_->id()) return nullptr;
    if (wanted == AIM_MODELS_SINK_ID) return &self->gate_.models();
    if (wanted == AIM_EMBEDDINGS_SINK_ID) return &self->gate_.embeddings();
    return nullptr;
}

void SessionSink::OnModel(void* context, const aim_model_info* model) {
    SessionSink* self = Self(context);
    if (self == nullptr || model == nullptr) return;
    if (self->extension_ == nullptr) return self->Misbehaved("a model from another interface");
    if (!AIM_HAS(model, aim_model_info, output_price_per_million))
        return self->Misbehaved("a model whose struct_size is too small");
    if (!self->TakeItem(SumOf(model->id.size, model->display_name.size, model->capabilities.size)))
        return;
    const std::string_view wrong = self->extension_->OnModel(*model);
    if (!wrong.empty()) self->Misbehaved(wrong);
}

void SessionSink::OnEmbedding(void* context, uint32_t index, const float* values, uint64_t count) {
    SessionSink* self = Self(context);
    if (self == nullptr) return;
    if (self->extension_ == nullptr || (values == nullptr && count > 0))
        return self->Misbehaved("a vector without values, or from another interface");
    // A count that is a lie must not wrap.
    const std::uint64_t known = std::min<std::uint64_t>(count, kMaxOutputBytes);
    if (!self->TakeItem(static_cast<std::size_t>(known) * sizeof(float))) return;
    const std::string_view wrong = self->extension_->OnEmbedding(index, values, count);
    if (!wrong.empty()) self->Misbehaved(wrong);
}

}  // namespace aim::plugin
