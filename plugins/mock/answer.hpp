// What a mock model says: its tokens (words with the white space before them), as text or as the
// arguments-less tool call that a request insists on, and the counts that go with it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "aim/sdk/session.hpp"
#include "plugins/mock/settings.hpp"

namespace aim::mock {

struct Answer {
    std::vector<std::string> tokens;
    std::string tool_name;  // not empty: the answer is one call of this tool, and has no tokens
    sdk::FinishReason finish = sdk::FinishReason::kStop;
    std::int64_t prompt_tokens = 0;
};

Answer MakeAnswer(const Settings& settings, const sdk::ChatRequest& request);

// A hash of everything that was said in the prompt, by whom and in which order.
std::uint64_t HashPrompt(const sdk::ChatRequest& request);

}  // namespace aim::mock
