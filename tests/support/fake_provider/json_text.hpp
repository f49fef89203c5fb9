// The few JSON helpers that the fake provider's sources share.
#pragma once

#include <string>
#include <string_view>

#include <rapidjson/document.h>

namespace aim::testing {

// Parses without recursion, so that a deeply nested body cannot end the process.
inline constexpr unsigned kJsonParseFlags =
    rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;

// The text as a JSON string with its quotes.
std::string QuoteJson(std::string_view text);

std::string SerializeJson(const rapidjson::Value& value);

inline std::string_view TextOf(const rapidjson::Value& value) {
    return {value.GetString(), value.GetStringLength()};
}

}  // namespace aim::testing
