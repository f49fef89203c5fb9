// The row settings of an Anthropic model.
#pragma once

#include <cstdint>
#include <string>

#include "aim/sdk/session.hpp"

namespace aim::anthropic {

// How a reasoning effort is said: newer models take an effort, older ones a budget of tokens.
enum class ThinkingStyle { kEffort, kBudget };

// Which of temperature, top_p and top_k a model takes: all of them, one at a time (temperature goes
// first), or none.
enum class SamplingStyle { kOne, kAll, kNone };

struct Settings {
    std::int64_t default_max_tokens = 4096;  // `max_tokens` is required there
    ThinkingStyle thinking = ThinkingStyle::kEffort;
    SamplingStyle sampling = SamplingStyle::kOne;
    std::string beta;  // value of the header anthropic-beta, empty = not sent
};

// What they are when call.Failed() is not true afterwards.
Settings ReadSettings(const sdk::Call& call, const sdk::Config& config);

inline constexpr std::string_view kSettingsSchema =
    R"({"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{)"
    R"("default_max_tokens":{"type":"integer","minimum":1,"maximum":1000000,"default":4096},)"
    R"("thinking":{"enum":["effort","budget"],"default":"effort"},)"
    R"("sampling":{"enum":["one","all","none"],"default":"one"},)"
    R"("anthropic_beta":{"type":"string"}}})";

}  // namespace aim::anthropic
