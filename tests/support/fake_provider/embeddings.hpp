// Vectors in the words of those who have them: OpenAI's /embeddings, Gemini's batchEmbedContents,
// Workers AI's run with texts. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace aim::testing {

struct EmbeddingsCall {
    std::string model;
    std::string body;  // the answer
};

// Nothing when the request is none for embeddings. The vector of an input has as many values as
// `dimensions` asks for, else 3: the length of the text (of token ids their number), then ones.
std::optional<EmbeddingsCall> ReadEmbeddingsCall(std::string_view path, std::string_view body);

}  // namespace aim::testing
