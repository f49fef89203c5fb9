// The words of OpenAI's chat completions as Groq speaks them: bodies, stream chunks, error objects.
//
// Pure functions from a script step and the caller's request to JSON text; no framing, no I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/fake_provider/accent.hpp"
#include "tests/support/fake_provider/script_step.hpp"

namespace aim::testing {

// What an answer depends on.
struct ChatRequest {
    std::string model;
    std::string last_user_text;
    std::size_t prompt_characters = 0;
    bool stream = false;
    std::uint64_t number = 0;        // makes the ids of the answers differ
    const Accent* accent = nullptr;  // null: Groq
    std::string refused;             // why the accent's provider does not take it
};

// False with the provider's own sentence in `error` when the body is no chat request. The request's
// accent is set before.
bool ReadChatRequest(std::string_view body, ChatRequest* request, std::string* error);

// The JSON text of an unstreamed answer.
std::string CompletionBody(const ScriptStep& step, const ChatRequest& request);

struct StreamChunk {
    std::string json;
    bool counts =
        false;  // a delta with text, reasoning or a tool call; the role and finish chunks are none
};

// Every chunk of a streamed answer in order, without [DONE].
std::vector<StreamChunk> CompletionChunks(const ScriptStep& step, const ChatRequest& request);

// An error body as the provider would word it for the status.
std::string ErrorBody(int status, std::string_view model);

// With the given sentence.
std::string ErrorBody(std::string_view message, std::string_view type, std::string_view code);

// The body of GET /models; with `id` the item of GET /models/{id}, empty when there is no such
// model.
std::string ModelsBody();
std::string ModelBody(std::string_view id);

}  // namespace aim::testing
