// One scripted answer of the fake provider: what it says and how it misbehaves.
//
// A step is read from JSON (README.md has every key) and never changes afterwards, so that any
// number of connections may share it. Unknown keys are refused: a misspelt fault would make a test
// pass for nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aim::testing {

enum class UsagePlacement { kLast, kExtra, kNone };

// What happens to the connection when the last byte of the answer was written.
enum class AnswerEnd { kKeepOpen, kClose, kReset, kStall };

struct ScriptedToolCall {
    std::string id;
    std::string name;
    std::string arguments;
};

struct ScriptStep {
    using Milliseconds = std::chrono::milliseconds;

    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers;  // replace our own of the same name
    std::vector<std::string> removed_headers;
    std::optional<std::string> content_type;
    std::optional<std::string> body;          // instead of the dialect's answer, properly framed
    std::optional<std::string> raw;           // instead of everything after the head, not framed
    std::optional<std::string> raw_response;  // instead of head and body

    Milliseconds delay_before_head{0};
    Milliseconds delay_before_first_byte{0};
    Milliseconds chunk_delay{0};

    std::optional<std::string> text;
    std::optional<std::string> reasoning;
    std::string reasoning_field = "reasoning";
    std::vector<ScriptedToolCall> tool_calls;
    std::size_t tool_fragments = 0;  // 0: a call comes whole in one delta, as Groq sends it
    bool tool_index = true;
    std::size_t chunks = 0;  // 0: one delta a word
    std::size_t huge_line_bytes = 0;
    std::optional<std::string> finish_reason;
    bool omit_finish_reason = false;
    UsagePlacement usage = UsagePlacement::kLast;
    std::optional<std::int64_t> prompt_tokens;
    std::optional<std::int64_t> completion_tokens;
    std::int64_t cached_tokens = 0;
    std::int64_t reasoning_tokens = 0;

    bool crlf = false;
    bool lone_cr = false;
    bool space_after_data = true;
    bool comments = false;
    bool done_marker = true;
    std::string after_done;

    std::optional<std::string> error_in_stream;  // JSON text of the error object
    std::size_t error_after_chunks = 0;
    std::optional<std::size_t> cut_after_bytes;
    std::optional<std::size_t> cut_after_chunks;
    std::optional<std::size_t> stall_after_chunks;
    bool cut_before_head = false;
    bool reset = false;
    bool garbage = false;
    bool garbage_head = false;
    bool endless_comments = false;
    bool never_answer = false;
    bool gzip = false;
    bool close_notify = true;
    std::size_t leading_blank_lines = 0;
    std::optional<std::uint64_t> content_length;
    std::size_t split =
        0;  // bytes a write, each in a loop turn of its own; 0: as much as the socket takes
    Milliseconds split_delay{0};
    std::optional<AnswerEnd> end;
};

// False with a sentence in `error` when the text is not a valid step.
bool ParseScriptStep(std::string_view json, ScriptStep* step, std::string* error);

// The same for an array of steps, or a single step.
bool ParseScriptSteps(std::string_view json, std::vector<ScriptStep>* steps, std::string* error);

}  // namespace aim::testing
