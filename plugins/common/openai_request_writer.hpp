// Rewrites the canonical request into what one OpenAI-compatible provider accepts. What needs no
// change is copied as it stands, so numbers, spacing and unknown fields arrive as the caller wrote
// them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aim/sdk/json.hpp"

namespace aim::openai {

// A top-level field whose value `from` is sent as `to`, or, when `to` is empty, is left out.
struct ValueRule {
    std::string_view field;
    std::string_view from;
    std::string_view to;
};

// A top-level field that the provider knows under another name.
struct NameRule {
    std::string_view from;
    std::string_view to;
};

enum class TokenLimitField {
    kAsGiven,
    kMaxTokens,
    kMaxCompletionTokens,
};

// What becomes of the reasoning text of earlier answers (`reasoning` or `reasoning_content` of
// assistant messages).
enum class EarlierReasoning {
    kAsGiven,
    kLeftOut,
    kReasoning,              // sent as `reasoning`
    kReasoningContentAlways  // sent as `reasoning_content`, a space where an answer has none
};

// How a provider's requests differ from OpenAI's. Made of literals; lists are owned by the plugin.
struct RequestPolicy {
    TokenLimitField token_limit = TokenLimitField::kAsGiven;
    EarlierReasoning earlier_reasoning = EarlierReasoning::kAsGiven;

    // Rewritten.
    bool developer_is_system = false;   // role `developer` is sent as `system`
    bool no_nulls_in_messages = false;  // null members of messages are left out
    bool no_names_in_messages = false;  // messages[].name is left out
    bool no_empty_answers = false;      // assistant messages with neither text nor calls are too
    bool text_parts_as_string = false;  // content of text parts alone is joined
    bool no_strict_tools = false;       // tools[].function.strict is left out
    bool stop_as_array = false;         // a single stop sequence is sent as an array
    bool logprobs_as_number = false;    // `logprobs` takes the number of `top_logprobs`
    bool nine_letter_call_ids = false;  // ids of tool calls are nine letters and digits
    bool no_platform_fields = false;    // fields of OpenAI's own platform are left out
    double max_temperature = 0;         // a higher one is sent as this; 0 = no limit

    // Refused as unsupported, without a request.
    bool one_choice_only = false;      // n > 1
    bool no_json_schema = false;       // response_format json_schema
    bool function_tools_only = false;  // tools of another type than `function`
    bool images_as_data_only = false;  // image URLs that are no data URIs
    std::size_t max_stops = 0;         // more stop sequences; 0 = no limit

    std::span<const std::string_view> left_out;      // top-level fields that the provider refuses
    std::span<const std::string_view> only;          // not empty: no other top-level field is sent
    std::span<const std::string_view> message_only;  // not empty: no other member of a message
    std::span<const NameRule> names;
    std::span<const ValueRule> values;
};

// What the operator says about one model, from the settings of its row (kRowSettingsSchema).
struct RowSettings {
    std::vector<std::string> omit;  // top-level fields that this model refuses
    std::string extra_body;         // a JSON object whose members are sent unless the caller's are
    bool omit_earlier_reasoning = false;
};

inline constexpr std::string_view kRowSettingsSchema =
    R"({"type":"object","properties":{)"
    R"("omit":{"type":"array","items":{"type":"string"},"description":"Fields of the request that this model refuses."},)"
    R"("extra_body":{"type":"object","description":"Fields that are added to every request."},)"
    R"("omit_earlier_reasoning":{"type":"boolean","description":"Reasoning of earlier answers is not sent back."}}})";

// Why a request cannot be sent to this provider, or a row not be played.
struct Refusal {
    std::string field;
    std::string message;
};

// False with the setting's name and a sentence when a value is not of its type. Other settings of
// the row are not looked at.
bool ReadRowSettings(std::string_view row_settings, RowSettings& settings, Refusal& refusal);

// True with the body in `body`, else the reason in `refusal`.
bool WriteRequest(std::string_view canonical, const RequestPolicy& policy, std::string& body,
                  Refusal& refusal, const RowSettings& row = {});

}  // namespace aim::openai
