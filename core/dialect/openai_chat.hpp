#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/completion/chat_delta.hpp"
#include "core/completion/chat_request.hpp"
#include "core/completion/chat_response.hpp"

namespace aim::dialect {

// Reads the body of POST /v1/chat/completions. `fallback`, `user_id` and `username` are taken out;
// what the gateway does not know is kept for the provider. Errors: code invalid_json or
// invalid_request with the field.
Result<completion::ChatRequest> ReadChatCompletion(std::string_view body);

// What every object of one answer repeats.
struct CompletionIdentity {
    std::string id;  // "chatcmpl-…"
    std::int64_t created_unix_s = 0;
    std::string model;  // the row's name
};

// A whole `chat.completion` object.
std::string WriteChatCompletion(const completion::ChatResponse& response,
                                const CompletionIdentity& identity);

// OpenAI's usage object: the provider's own when it has that shape, else made from the counts that
// are known; nothing for no usage.
void AppendUsage(const completion::Usage& usage, std::string& out);

// Writes an answer as server-sent `chat.completion.chunk` events, in the order that SDKs rely on
// (shared reference: role once, a tool call's id and name in its first piece, the usage chunk after
// the finish chunk, [DONE] last). One stream, one thread.
class OpenAiStreamWriter {
  public:
    OpenAiStreamWriter(CompletionIdentity identity, bool include_usage);

    // Appends the events of one batch to `out`.
    void AppendBatch(const completion::DeltaBatch& batch, std::string& out);

    // The regular end: usage when it was asked for and is known, then the terminator.
    void AppendEnd(const completion::Usage& usage, std::string& out);

    // The end after a failure, in place of AppendEnd: an error object and no terminator. `code` and
    // `type` are contract.md's.
    static void AppendError(std::string_view message, std::string_view type, std::string_view code,
                            std::string& out);

  private:
    // A chunk is written up to the end of its delta's first members and stays open for extras,
    // which belong to what came before them; Open() and the end of a batch close it.
    void Open(std::uint32_t choice, std::string& out);
    void Close(std::string& out);
    // Open(), after the choice's role.
    void Begin(std::uint32_t choice, std::string& out);
    void CloseWithResponseExtras(std::string& out);
    void AppendOne(const completion::DeltaBatch::Delta& delta, std::string& out);
    void AppendExtra(const completion::DeltaBatch::Delta& delta, std::string& out);

    std::string head_;  // "data: {…,\"choices\":["
    std::string tail_;  // after the choices
    const bool include_usage_;
    std::vector<bool> role_sent_;  // by choice

    // Of the open chunk.
    bool open_ = false;
    bool bare_ = false;  // its delta has nothing but extras
    std::uint32_t open_choice_ = 0;
    std::string_view finish_;      // static text
    std::string message_extras_;   // ",\"annotations\":…", of its delta
    std::string choice_extras_;    // ",\"logprobs\":…"
    std::string response_extras_;  // of the next chunk when none is open
};

}  // namespace aim::dialect
