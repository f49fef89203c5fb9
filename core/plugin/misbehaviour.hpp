#pragma once

#include <cstddef>
#include <string_view>

namespace aim::plugin {

// In what way a plugin broke the rules of the ABI while it served. The names (MisbehaviourName) are
// the label of a counter and members of GET /api/v1/plugins: they never change; new ones are added
// at the end.
enum class Misbehaviour {
    kException,      // something was thrown out of a call
    kOverBudget,     // a call held the thread longer than CallBudget allows
    kOutputFlood,    // more output than a call or a session may make
    kIllegalStep,    // a step that does not exist or is not allowed there, or FAILED without a why
    kBadRequest,     // a request description that the builder refuses
    kInvalidOutput,  // extra that is no JSON, output where none is taken, too many tool calls
    kLateOutput,     // the sink used outside of a call
    kForeignThread,  // the sink used during a call, but from another thread
};

inline constexpr std::size_t kMisbehaviourCount =
    static_cast<std::size_t>(Misbehaviour::kForeignThread) + 1;

// "exception" and so on. Static storage.
std::string_view MisbehaviourName(Misbehaviour kind);

}  // namespace aim::plugin
