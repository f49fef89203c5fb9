#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/completion/chat_request.hpp"
#include "core/completion/chat_response.hpp"

namespace aim::dialect {

inline constexpr std::size_t kMaxPromptCharacters = 1'000'000;

// Reads the body of POST /api/v1/prompts (contract.md). Unknown fields are ignored. Errors: code
// invalid_json or invalid_request with the field.
Result<completion::ChatRequest> ReadNativePrompt(std::string_view body);

// What the answer says beside the model's own words.
struct NativeAnswer {
    struct Model {
        std::string id;
        std::string name;
        std::string provider;
        double reliability_score = 0;
    };
    struct Attempt {
        std::string model;
        std::string provider;
        std::string outcome;
        std::chrono::milliseconds duration{0};
    };
    Model model;
    std::chrono::milliseconds processing_time{0};
    std::string request_id;
    std::vector<Attempt> attempts;
};

std::string WriteNativeAnswer(const completion::ChatResponse& response, const NativeAnswer& answer);

// The attempts as a JSON array; also the context of `all_models_failed`.
void AppendAttempts(const std::vector<NativeAnswer::Attempt>& attempts, std::string& out);

// telegram_123 is 123; nullopt for every other user id.
std::optional<std::int64_t> TelegramId(std::string_view user_id);

}  // namespace aim::dialect
