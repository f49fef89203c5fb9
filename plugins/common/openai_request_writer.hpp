// Rewrites the canonical request into what one OpenAI-compatible provider accepts. What needs no
// change is copied as it stands, so numbers, spacing and unknown fields arrive as the caller wrote
// them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "aim/sdk/json.hpp"

namespace aim::openai {

// A top-level field whose value `from` is sent as `to`, or, when `to` is empty, is left out.
struct ValueRule {
    std::string_view field;
    std::string_view from;
    std::string_view to;
};

enum class TokenLimitField {
    kAsGiven,
    kMaxTokens,
    kMaxCompletionTokens,
};

// How a provider's requests differ from OpenAI's. Made of literals; lists are owned by the plugin.
struct RequestPolicy {
    TokenLimitField token_limit = TokenLimitField::kAsGiven;
    bool developer_is_system = false;            // role `developer` is sent as `system`
    bool no_nulls_in_messages = false;           // null members of messages are left out
    bool no_names_in_messages = false;           // messages[].name is left out
    bool one_choice_only = false;                // n > 1 is refused as unsupported
    std::size_t max_stops = 0;                   // more stop sequences are refused; 0 = no limit
    const std::string_view* left_out = nullptr;  // top-level fields that the provider refuses
    std::size_t left_out_count = 0;
    const ValueRule* values = nullptr;
    std::size_t value_count = 0;
};

// Why a request cannot be sent to this provider.
struct Refusal {
    std::string field;
    std::string message;
};

// True with the body in `body`, else the reason in `refusal`.
bool WriteRequest(std::string_view canonical, const RequestPolicy& policy, std::string& body,
                  Refusal& refusal);

}  // namespace aim::openai
