// Reads GenerateContentResponse objects, one whole or many of a stream, into a sink. A candidate
// without a finish reason is no success; missing `content` and `parts` are empty ones.
//
// One reader reads one answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aim/sdk/json.hpp"
#include "aim/sdk/session.hpp"

namespace aim::gemini {

class ResponseReader final {
  public:
    // A complete body: one object, or an array of them (a stream that came as JSON).
    sdk::Step ReadWhole(const sdk::Call& call, std::string_view body);
    sdk::Step ReadEvent(const sdk::Call& call, std::string_view data);
    // There is no terminator: the end of the body concludes.
    sdk::Step Conclude(const sdk::Call& call);

  private:
    struct Candidate {
        std::uint32_t index = 0;
        std::uint32_t tool_calls = 0;
        bool has_content = false;
        bool finished = false;
    };

    Candidate& CandidateAt(std::uint32_t index);
    // False after call.Fail().
    bool ReadObject(const sdk::Call& call, sdk::JsonValue root);
    bool ReadCandidate(const sdk::Call& call, sdk::JsonValue item);
    void ReadParts(const sdk::Emitter& out, Candidate& candidate, sdk::JsonValue parts);
    void ReadCall(const sdk::Emitter& out, Candidate& candidate, sdk::JsonValue part);
    bool ReadFinish(const sdk::Call& call, Candidate& candidate, std::string_view reason,
                    std::string_view message);
    void ReadUsage(const sdk::Emitter& out, sdk::JsonValue usage);
    void PassOn(const sdk::Emitter& out, sdk::JsonValue member);

    sdk::JsonDocument document_;
    std::vector<Candidate> candidates_;
    std::string last_usage_;
    std::vector<std::pair<std::string, std::string>> passed_on_;
};

}  // namespace aim::gemini
