#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "aim/abi/sink.h"
#include "core/base/utf8.hpp"
#include "services/cli/kit/host_memory.hpp"

namespace aim::cli::kit {

// One thing that a session said. Texts that follow each other in one place are one event, so that
// records can be compared however the answer was cut.
struct Event {
    std::string head;  // "text 0", "finish 0 1", "error 6 429 …"
    std::string text;
    bool joins = false;

    friend bool operator==(const Event&, const Event&) = default;
};

// A broken rule: the name of the check that is about it, and a sentence.
struct Fault {
    std::string rule;
    std::string message;
};

struct SaidError {
    std::int32_t kind = 0;
    std::int32_t upstream_status = 0;
    std::int64_t retry_after_ms = -1;
    std::string message;
    std::string code;
    std::string field;
};

// The host's sink for one session: writes down what the plugin says and which rules it breaks.
class Recorder {
  public:
    Recorder() = default;
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    // The sink for one call, which must come from this thread; open until Close().
    const aim_sink* Open(HostMemory& memory);
    // Checks what the call's result promises; `step` is an AIM_STEP_….
    void Close(std::int32_t step);

    void Misbehaved(std::string rule, std::string message);

    const std::vector<Event>& events() const { return events_; }
    const std::vector<Fault>& faults() const { return faults_; }
    bool has_error() const { return has_error_; }
    const SaidError& error() const { return error_; }
    bool finished() const { return !finishes_.empty(); }
    std::uint64_t wait_ms() const { return wait_ms_; }
    std::uint64_t output_bytes() const { return output_bytes_; }
    // All of it on one page, for messages.
    std::string Describe() const;

  private:
    static Recorder& Self(void* context, const char* what);
    static const aim_sink& Table();
    void Say(std::string head, std::string_view text = {}, bool joins = false);
    void SayText(const char* kind, std::uint32_t choice, aim_str text);
    void OnToolCall(std::uint32_t choice, std::uint32_t index, aim_str id, aim_str name,
                    aim_str arguments);
    void OnUsage(const aim_usage& usage);
    void OnFinish(std::uint32_t choice, std::int32_t reason);
    void OnExtra(std::int32_t scope, std::uint32_t choice, std::uint32_t index, aim_str name,
                 aim_str json);
    void OnError(const aim_error& error);

    bool open_ = false;
    bool terminal_ = false;
    std::thread::id thread_;
    bool has_error_ = false;
    bool error_in_call_ = false;
    bool wait_in_call_ = false;
    SaidError error_;
    std::uint64_t wait_ms_ = 0;
    std::uint64_t output_bytes_ = 0;
    std::map<std::uint32_t, std::int32_t> finishes_;
    std::map<std::uint32_t, std::uint32_t> tool_counts_;
    std::map<std::string, std::int64_t> counts_;
    std::map<std::string, std::string> unfinished_;  // the last bytes of each text
    std::vector<Event> events_;
    std::vector<Fault> faults_;
};

}  // namespace aim::cli::kit
