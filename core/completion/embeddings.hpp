#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/completion/usage.hpp"

namespace aim::completion {

// What a caller of POST /v1/embeddings asks for. Built by core/dialect; immutable afterwards, so
// every attempt reads the same.
struct EmbeddingsRequest {
    // The model by its row's name; empty = choose.
    std::string model;

    // The members of the OpenAI request object without its braces: all that a provider may see but
    // `model`, which each attempt sets for itself, and `encoding_format`, which is how the gateway
    // answers.
    std::string members;

    // The inputs as texts; empty when they are arrays of token ids, which stand in `members` only.
    std::vector<std::string> texts;
    std::uint32_t input_count = 0;  // at least 1
    std::int64_t dimensions = -1;   // -1 = not given
    bool base64 = false;            // how the caller wants its vectors
    bool fallback = true;

    // For the history: who asked, and what.
    std::string user_id;
    std::string username;
    std::optional<std::int64_t> user_telegram_id;
    bool has_tokens() const { return texts.empty(); }
    // The texts, each on its line; for token ids their number.
    std::string PromptText() const;
};

// One vector for each input, in their order, all of one length. What a session that failed on its
// way has not got is empty.
struct EmbeddingsResponse {
    std::vector<std::vector<float>> vectors;
    Usage usage;
};

}  // namespace aim::completion
