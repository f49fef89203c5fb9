#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace aim::completion {

// Tokens as the provider counted them; what it did not say is absent, which is not zero. `json` is
// the provider's own usage object, whole.
struct Usage {
    std::optional<std::int64_t> prompt_tokens;
    std::optional<std::int64_t> completion_tokens;
    std::optional<std::int64_t> total_tokens;
    std::optional<std::int64_t> cached_tokens;
    std::optional<std::int64_t> cache_write_tokens;
    std::optional<std::int64_t> reasoning_tokens;
    std::string json;

    bool empty() const {
        return !prompt_tokens && !completion_tokens && !total_tokens && json.empty();
    }

    // Takes the values that `newer` has, keeps the others.
    void Merge(Usage newer);
};

}  // namespace aim::completion
