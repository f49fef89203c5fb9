#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aim/abi/provider.h"
#include "core/http/json_lines_parser.hpp"
#include "core/http/sse_parser.hpp"
#include "services/cli/kit/prompt.hpp"
#include "services/cli/kit/recorder.hpp"

namespace aim::cli::kit {

using Headers = std::vector<std::pair<std::string, std::string>>;

// An answer of a provider, as bytes.
struct Answer {
    std::uint32_t status = 200;
    Headers headers;
    std::string body;
    std::int32_t ending = AIM_END_COMPLETE;
};

// What a plugin asked the host to send.
struct Description {
    std::string method;
    std::string url;
    Headers headers;  // values are templates
    std::string body;
    std::int32_t framing = AIM_FRAMING_WHOLE;

    friend bool operator==(const Description&, const Description&) = default;
};

// Given what is left of a body, how many bytes arrive next (at least 1); null: all of them.
using Splitter = std::function<std::size_t(std::size_t left)>;

// The world of one session.
struct Script {
    const Prompt* prompt = nullptr;
    Answer answer;  // to every request of the session
    Splitter splitter;
    std::string endpoint;
    MemoryMode memory = MemoryMode::kPlain;
    std::uint64_t seed = 42;
    std::uint64_t give_up_after_ms = 600'000;  // of waiting
    int most_requests = 64;
    bool later_requests_are_lost = false;  // the second and all others get no answer
};

enum class RunState { kBegin, kRequest, kHead, kBody, kWait, kDone, kFailed, kGivenUp };

// Plays the host for one session, one call into the plugin at a time, by the state machine of
// abi/docs/state_machine.md. Steps may come from different threads, one after the other.
class SessionRun {
  public:
    // Borrows the tables and the prompt.
    SessionRun(const aim_chat& chat, void* provider, Script script);
    ~SessionRun();  // ends the session
    SessionRun(const SessionRun&) = delete;
    SessionRun& operator=(const SessionRun&) = delete;

    // The next call; false when the session is over.
    bool Step();
    void StepAll() {
        while (Step()) {
        }
    }
    // The host ends the session, in whatever state. Once.
    void End();

    RunState state() const { return state_; }
    bool done() const { return state_ == RunState::kDone; }
    bool failed() const { return state_ == RunState::kFailed; }
    int calls() const { return calls_; }
    const Recorder& record() const { return recorder_; }
    const std::vector<Description>& requests() const { return requests_; }

  private:
    struct Piece {
        std::string data;
        std::string event;
        std::string id;
        std::optional<std::int32_t> ending;  // set: the call is on_end
    };

    template <typename Call>
    std::int32_t Make(HostMemory& memory, Call&& call);
    void Follow(const char* function, std::int32_t step, bool may_continue);
    void Begin();
    void Describe();
    void Head();
    void Body();
    void Wake();
    void CutBody();

    const aim_chat& chat_;
    void* const provider_;
    const Script script_;
    Recorder recorder_;
    RunState state_ = RunState::kBegin;
    void* session_ = nullptr;
    bool ended_ = false;
    int calls_ = 0;
    int requests_without_wait_ = 0;
    std::uint64_t now_ms_ = 1'790'000'000'000;
    std::uint64_t waited_ms_ = 0;
    std::int32_t framing_ = AIM_FRAMING_WHOLE;
    std::deque<Piece> pieces_;
    std::vector<Description> requests_;
};

// One whole session on one thread, ended.
std::unique_ptr<SessionRun> Play(const aim_chat& chat, void* provider, Script script);

// The same outcome: state, requests and events.
bool SameOutcome(const SessionRun& a, const SessionRun& b);

}  // namespace aim::cli::kit
