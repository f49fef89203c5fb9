#include "core/completion/embeddings.hpp"

namespace aim::completion {

std::string EmbeddingsRequest::PromptText() const {
    if (has_tokens()) return std::to_string(input_count) + " inputs as token ids";
    std::string all;
    for (const std::string& text : texts) {
        if (!all.empty()) all.push_back('\n');
        all.append(text);
    }
    return all;
}

}  // namespace aim::completion
