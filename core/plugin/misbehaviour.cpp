#include "core/plugin/misbehaviour.hpp"

#include <array>

namespace aim::plugin {

std::string_view MisbehaviourName(Misbehaviour kind) {
    static constexpr std::array<std::string_view, kMisbehaviourCount> kNames = {
        "exception",   "over_budget",    "output_flood", "illegal_step",
        "bad_request", "invalid_output", "late_output",  "foreign_thread",
    };
    return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace aim::plugin
