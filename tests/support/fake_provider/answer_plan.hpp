// An answer as timed bytes: what a connection writes, when, and how it ends.
//
// Built once from a script step and a request, never changed, shared by any number of connections.
// Building is pure: every fault but the timing can be tested without a socket.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/fake_provider/chat_dialect.hpp"
#include "tests/support/fake_provider/script_step.hpp"

namespace aim::testing {

struct AnswerPiece {
    std::chrono::milliseconds delay_before{0};  // after the piece before it was due
    std::string bytes;
};

struct AnswerPlan {
    std::vector<AnswerPiece> pieces;
    std::optional<std::size_t> repeat_from;  // after the last piece go on here, for ever
    std::size_t write_size = 0;              // bytes a write; 0: no limit
    std::chrono::milliseconds write_gap{0};
    AnswerEnd end = AnswerEnd::kKeepOpen;
    bool close_notify = true;  // TLS: say goodbye before a close
};

using AnswerPlanPtr = std::shared_ptr<const AnswerPlan>;

// What of the request decides the framing of the answer.
struct AnswerFraming {
    bool http11 = true;
    bool keep_alive = true;
};

// The answer to a chat request.
AnswerPlan PlanChatAnswer(const ScriptStep& step, const ChatRequest& request,
                          const AnswerFraming& framing);

// A JSON answer of ours (errors, models, control calls).
AnswerPlan PlanJsonAnswer(int status, const std::string& body, const AnswerFraming& framing);

}  // namespace aim::testing
