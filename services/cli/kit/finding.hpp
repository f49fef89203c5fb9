#pragma once

#include <string>
#include <utility>

namespace aim::cli::kit {

enum class Outcome { kPass, kFail, kSkip };

// What one check found. `message` says of a failure what was expected and what was found, of a skip
// why there was nothing to check.
struct Finding {
    Outcome outcome = Outcome::kPass;
    std::string message;
};

inline Finding Pass() { return {}; }
inline Finding Fail(std::string message) { return {Outcome::kFail, std::move(message)}; }
inline Finding Skip(std::string message) { return {Outcome::kSkip, std::move(message)}; }

}  // namespace aim::cli::kit
