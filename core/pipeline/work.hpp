#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/completion/chat_request.hpp"
#include "core/completion/embeddings.hpp"
#include "core/routing/candidate.hpp"
#include "core/routing/chooser.hpp"

namespace aim::pipeline {

// What is asked of the pipeline, a chat or vectors, as far as choice, fallback and history need to
// know: they treat both alike. Borrows the request, which outlives it.
struct Work {
    explicit Work(const completion::ChatRequest& request)
        : chat(&request),
          operation(routing::Operation::kChat),
          model(request.model),
          capabilities(routing::NeededCapabilities(request)),
          fallback(request.fallback),
          user_id(request.user_id),
          username(request.username),
          user_telegram_id(request.user_telegram_id) {}

    explicit Work(const completion::EmbeddingsRequest& request)
        : embeddings(&request),
          operation(routing::Operation::kEmbeddings),
          model(request.model),
          fallback(request.fallback),
          user_id(request.user_id),
          username(request.username),
          user_telegram_id(request.user_telegram_id) {}

    std::string PromptText() const {
        return chat != nullptr ? std::string(chat->PromptText()) : embeddings->PromptText();
    }

    // One of the two is set.
    const completion::ChatRequest* chat = nullptr;
    const completion::EmbeddingsRequest* embeddings = nullptr;

    routing::Operation operation;
    std::string_view model;  // empty = choose
    std::uint32_t capabilities = 0;
    bool fallback;
    std::string_view user_id;
    std::string_view username;
    std::optional<std::int64_t> user_telegram_id;
};

}  // namespace aim::pipeline
