// What Anthropic's error types mean where the common reader does not know them.
#pragma once

#include <array>

#include "plugins/common/openai_error_reader.hpp"

namespace aim::anthropic {

inline constexpr std::array<openai::ErrorRule, 2> kErrorRuleList = {{
    {0, "not_found_error", sdk::ErrorKind::kModelNotFound},
    {0, "credit balance is too low", sdk::ErrorKind::kQuotaExhausted},
}};
inline constexpr openai::ErrorRules kErrorRules = {kErrorRuleList.data(), kErrorRuleList.size()};

}  // namespace aim::anthropic
