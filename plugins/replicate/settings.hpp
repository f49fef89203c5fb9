// The row settings of a model on Replicate, where every model names its inputs as it likes.
#pragma once

#include <cstdint>
#include <string>

#include "aim/sdk/session.hpp"

namespace aim::replicate {

struct Settings {
    std::int64_t wait_seconds = 10;           // how long the creation may hold the answer back
    std::int64_t cancel_after_seconds = 300;  // when the provider drops what nobody fetched
    std::string max_tokens_field = "max_tokens";
    std::string image_field = "image";
    std::string messages_field;  // takes the messages as they are; empty: a prompt is made of them
    std::string input;           // JSON object, inputs that are always sent
};

// What they are when call.Failed() is not true afterwards.
Settings ReadSettings(const sdk::Call& call, const sdk::Config& config);

inline constexpr std::string_view kSettingsSchema =
    R"({"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{)"
    R"("wait_seconds":{"type":"integer","minimum":0,"maximum":60,"default":10},)"
    R"("cancel_after_seconds":{"type":"integer","minimum":5,"maximum":86400,"default":300},)"
    R"("max_tokens_field":{"type":"string","default":"max_tokens"},)"
    R"("image_field":{"type":"string","default":"image"},)"
    R"("messages_field":{"type":"string"},"input":{"type":"object"}}})";

}  // namespace aim::replicate
