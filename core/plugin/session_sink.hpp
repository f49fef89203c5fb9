#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aim/abi/sink.h"
#include "core/base/result.hpp"
#include "core/base/utf8.hpp"
#include "core/completion/chat_delta.hpp"
#include "core/plugin/sink_extension.hpp"
#include "core/plugin/sink_gate.hpp"

namespace aim::plugin {

// The host's end of aim_sink for one session: copies what the plugin says into a batch of deltas,
// and counts what it must not say. Open only while one of the session's functions runs, and only
// for the thread that runs it; whatever comes at another time or from elsewhere changes nothing but
// the count.
class SessionSink {
  public:
    // All that one session may put out.
    static constexpr std::size_t kMaxOutputBytes = 64u * 1024 * 1024;
    // What one call may put out: this, and four times its input.
    static constexpr std::size_t kMaxCallBytes = 16u * 1024 * 1024;
    // How many pieces of text and of tool calls, finishes and extras: this, and one for each
    // kBytesAnItem of its input.
    static constexpr std::size_t kMaxCallItems = 65'536;
    static constexpr std::size_t kBytesAnItem = 8;

    // `seed` makes the ids of tool calls that the provider left without one. `conduct` (may be
    // null) is told what the plugin does against the rules.
    explicit SessionSink(uint64_t seed = 0, Conduct* conduct = nullptr);
    ~SessionSink() { SinkGate::Release(gate_); }
    SessionSink(const SessionSink&) = delete;
    SessionSink& operator=(const SessionSink&) = delete;

    // Output goes to `batch` (null: only errors are taken) until Close(); `input_bytes` is what the
    // call is given. Both on the thread that makes the call.
    const aim_sink* Open(completion::DeltaBatch* batch = nullptr, std::size_t input_bytes = 0);
    void Close() { gate_.Close(); }

    // What takes the outputs of another interface than chat; lives as long as the sink is used.
    void Extend(SinkExtension* extension) { extension_ = extension; }

    bool has_error() const { return has_error_; }
    const Error& error() const { return error_; }
    std::chrono::milliseconds wait() const { return wait_; }
    bool finished() const { return !finished_choices_.empty(); }
    int misbehaviour() const { return misbehaviour_ + static_cast<int>(gate_.strays()); }
    // More was put out than the session or the last call may.
    bool overflowed() const {
        return bytes_ > kMaxOutputBytes || call_bytes_ > call_limit_ || call_items_ > item_limit_;
    }

  private:
    struct TextState {
        completion::DeltaKind kind;
        uint32_t choice;
        Utf8Sanitizer sanitizer;
    };

    static SessionSink* Self(void* context) { return SinkGate::Enter(context); }
    static void FillTables(SinkGate& gate);
    static void OnText(void* context, uint32_t choice, aim_str text);
    static void OnReasoning(void* context, uint32_t choice, aim_str text);
    static void OnRefusal(void* context, uint32_t choice, aim_str text);
    static void OnToolCall(void* context, uint32_t choice, uint32_t index, aim_str id, aim_str name,
                           aim_str arguments);
    static void OnUsage(void* context, const aim_usage* usage);
    static void OnFinish(void* context, uint32_t choice, int32_t reason);
    static void OnExtra(void* context, int32_t scope, uint32_t choice, uint32_t index, aim_str name,
                        aim_str json);
    static void OnError(void* context, const aim_error* error);
    static void OnWait(void* context, uint64_t milliseconds);
    static const void* OnExtension(void* context, const char* id);
    static void OnModel(void* context, const aim_model_info* model);
    static void OnEmbedding(void* context, uint32_t index, const float* values, uint64_t count);

    bool Take(std::size_t bytes);
    bool TakeItem(std::size_t bytes);
    void Misbehaved(std::string_view what);
    void AddText(completion::DeltaKind kind, uint32_t choice, aim_str text);

    Conduct* const conduct_;
    SinkGate& gate_;
    SinkExtension* extension_ = nullptr;
    completion::DeltaBatch* batch_ = nullptr;
    bool has_error_ = false;
    int misbehaviour_ = 0;
    std::size_t bytes_ = 0;
    std::size_t call_bytes_ = 0;
    std::size_t call_limit_ = kMaxCallBytes;
    std::size_t item_limit_ = kMaxCallItems;
    std::size_t call_items_ = 0;
    std::chrono::milliseconds wait_{0};
    Error error_;
    std::vector<TextState> text_states_;  // few: one a kind of text and choice
    std::vector<uint32_t> finished_choices_;
    std::vector<std::pair<uint32_t, uint32_t>>
        calls_;  // choice and index of the tool calls that have begun
    uint64_t seed_;
    std::string clean_;
};

}  // namespace aim::plugin
