// A host's sink that writes down what it is told, one line an event, and notices broken rules.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "aim/abi/aim_abi.h"

namespace aim::plugin_driver {

// Lines: `text 0 "Hi"`, `tool 0 1 id=call_a name=f args="{"`, `usage prompt=9 total=10`, `finish 0
// stop`, `extra response 0 0 x_groq {…}`, `error rate_limited status=429 retry_after_ms=6000 …`,
// `wait 20`, `model llama context=8192`,
// `vector 0 [0.5,-1]`; and `misbehaviour …` for what a host would count as one.
class Recorder final {
  public:
    // With fewer bytes than a whole sink it is an older host's.
    explicit Recorder(std::uint32_t sink_size = sizeof(aim_sink));
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    const aim_sink* Sink() const { return &sink_; }

    // Between Open and Close the session may speak.
    void Open();
    void Close();
    // What a step promises must have been said.
    void CheckStep(std::int32_t step);

    void Note(std::string line) { events_.push_back(std::move(line)); }
    const std::vector<std::string>& Events() const { return events_; }

    std::uint64_t WaitMs() const { return wait_ms_; }
    bool Failed() const { return failed_; }
    // All answer text of choice 0, and the usage's JSON.
    const std::string& Text() const { return text_; }
    const std::string& UsageJson() const { return usage_json_; }
    const std::string& ErrorMessage() const { return error_message_; }

  private:
    static Recorder& Self(void* context);
    void Said(std::string line);
    void Misbehaved(const std::string& what) { Note("misbehaviour " + what); }

    aim_sink sink_{};
    aim_models_sink models_sink_{};
    aim_embeddings_sink embeddings_sink_{};
    bool open_ = false;
    bool terminal_ = false;
    bool failed_ = false;
    bool waited_ = false;
    std::uint64_t wait_ms_ = 0;
    std::map<std::uint32_t, bool> finished_;
    std::map<std::uint32_t, std::uint32_t> tool_count_;
    std::string text_;
    std::string usage_json_;
    std::string error_message_;
    std::vector<std::string> events_;
};

std::string ErrorKindName(std::int32_t kind);

}  // namespace aim::plugin_driver
