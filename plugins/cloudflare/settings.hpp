// The row settings of a Workers AI model, and the account that it is run on.
#pragma once

#include <cstdint>
#include <string>

#include "aim/sdk/session.hpp"

namespace aim::cloudflare {

enum class Api { kNative, kOpenAi };

struct Settings {
    Api api = Api::kNative;  // of an endpoint that does not tell it by its path
    // The native API cuts answers at a small number of its own and does not say so: a limit is
    // always sent, and an answer that reaches it counts as cut.
    std::int64_t default_max_tokens = 2048;
    std::string account;
};

// What they are when call.Failed() is not true afterwards.
Settings ReadSettings(const sdk::Call& call, const sdk::Config& config);

inline constexpr std::string_view kSettingsSchema =
    R"({"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{)"
    R"("api":{"enum":["native","openai"],"default":"native"},)"
    R"("default_max_tokens":{"type":"integer","minimum":1,"maximum":1000000,"default":2048}}})";

}  // namespace aim::cloudflare
