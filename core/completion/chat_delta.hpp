#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/completion/finish_reason.hpp"
#include "core/completion/usage.hpp"

namespace aim::completion {

enum class DeltaKind : std::uint8_t { kText, kReasoning, kRefusal, kToolCall, kFinish, kExtra };

// Where an extra field belongs; the numbers are the plugin ABI's.
enum class ExtraScope : std::int32_t { kResponse = 0, kChoice = 1, kMessage = 2, kToolCall = 3 };

// What became known of an answer in one step of its session, in order. All text lies in one buffer
// which Clear() keeps: a stream of a thousand deltas allocates as much as its largest step. Usage
// is a state, not an event, so it stands beside the list. One thread.
class DeltaBatch {
  public:
    struct Delta {
        DeltaKind kind;
        std::uint32_t choice;
        std::uint32_t index;    // of a tool call
        FinishReason finish;    // kFinish only
        ExtraScope scope;       // kExtra only
        std::string_view text;  // text, arguments or the extra's JSON
        std::string_view id;    // of a tool call
        std::string_view name;  // of a tool call or extra
    };

    void AddText(DeltaKind kind, std::uint32_t choice, std::string_view text);
    void AddToolCall(std::uint32_t choice, std::uint32_t index, std::string_view id,
                     std::string_view name, std::string_view arguments);
    void AddFinish(std::uint32_t choice, FinishReason reason);
    void AddExtra(ExtraScope scope, std::uint32_t choice, std::uint32_t index,
                  std::string_view name, std::string_view json);
    void MergeUsage(Usage usage);
    void Clear();

    bool empty() const { return records_.empty() && !has_usage_; }
    std::size_t size() const { return records_.size(); }
    // Views hold until the batch is changed.
    Delta operator[](std::size_t i) const;

    // Text, reasoning text, a refusal or a tool call: what ends the time for the first content.
    bool has_content() const { return has_content_; }
    bool has_usage() const { return has_usage_; }
    const Usage& usage() const { return usage_; }
    std::size_t text_bytes() const { return text_.size(); }

  private:
    struct Record {
        DeltaKind kind;
        std::int32_t detail;  // finish reason or scope
        std::uint32_t choice;
        std::uint32_t index;
        std::uint32_t at;
        std::uint32_t text_size;
        std::uint32_t id_size;
        std::uint32_t name_size;
    };

    Record& Append(DeltaKind kind, std::uint32_t choice, std::string_view text, std::string_view id,
                   std::string_view name);

    std::string text_;
    std::vector<Record> records_;
    Usage usage_;
    bool has_usage_ = false;
    bool has_content_ = false;
};

}  // namespace aim::completion
