#pragma once

#include <cstdint>
#include <string_view>

namespace aim::completion {

// Why a choice ended, as OpenAI names it. The numbers are those of the plugin ABI (aim/abi/sink.h).
enum class FinishReason : std::int32_t {
    kStop = 1,
    kLength = 2,
    kToolCalls = 3,
    kContentFilter = 4
};

// "stop" and so on.
std::string_view FinishReasonName(FinishReason reason);

// Any integer a plugin gave: unknown ones are kStop.
FinishReason FinishReasonFromAbi(std::int32_t value);

}  // namespace aim::completion
