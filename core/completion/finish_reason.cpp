#include "core/completion/finish_reason.hpp"

namespace aim::completion {

std::string_view FinishReasonName(FinishReason reason) {
    switch (reason) {
        case FinishReason::kStop:
            return "stop";
        case FinishReason::kLength:
            return "length";
        case FinishReason::kToolCalls:
            return "tool_calls";
        case FinishReason::kContentFilter:
            return "content_filter";
    }
    return "stop";
}

FinishReason FinishReasonFromAbi(std::int32_t value) {
    return value >= 1 && value <= 4 ? static_cast<FinishReason>(value) : FinishReason::kStop;
}

}  // namespace aim::completion
