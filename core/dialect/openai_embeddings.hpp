#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/completion/embeddings.hpp"
#include "core/completion/usage.hpp"

namespace aim::dialect {

// Reads the body of POST /v1/embeddings: `input` is a text, up to 2048 texts, an array of token ids
// or up to 2048 of these. `fallback`, `user_id`, `username` and `encoding_format` are taken out;
// what the gateway does not know is kept for the provider. Errors: code invalid_json or
// invalid_request with the field.
Result<completion::EmbeddingsRequest> ReadEmbeddings(std::string_view body);

// The answer's object. `model` is the row's name; the vectors are written as numbers that read back
// the same, or in base64 as OpenAI has it (little-endian floats of four bytes).
std::string WriteEmbeddings(const std::vector<std::vector<float>>& vectors,
                            const completion::Usage& usage, std::string_view model, bool base64);

}  // namespace aim::dialect
