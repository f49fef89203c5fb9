// Reads what Workers AI's /run answers: its own form, or, for newer models on the same path, a chat
// completion or a response of OpenAI's; whole in the envelope, or streamed.
//
// One reader reads one answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "aim/sdk/json.hpp"
#include "aim/sdk/session.hpp"
#include "plugins/common/openai_response_reader.hpp"
#include "plugins/common/openai_tool_calls.hpp"

namespace aim::cloudflare {

class NativeReader final {
  public:
    // `max_tokens` as sent: an answer that reaches it was cut, which is not said otherwise.
    explicit NativeReader(std::int64_t max_tokens)
        : max_tokens_(max_tokens), openai_({}, {}), tools_(0) {}

    // True when the answer holds nothing at all: some models do so when a stream is asked for.
    static bool IsEmptyAnswer(std::string_view body);

    sdk::Step ReadWhole(const sdk::Call& call, std::string_view body);
    sdk::Step ReadEvent(const sdk::Call& call, std::string_view name, std::string_view data);
    // The stream is over without its "[DONE]".
    sdk::Step ReadStreamEnd(const sdk::Call& call);

  private:
    sdk::Step ReadResponses(const sdk::Call& call, sdk::JsonValue result);
    void ReadPiece(const sdk::Emitter& out, sdk::JsonValue piece);
    void ReadUsage(const sdk::Emitter& out, sdk::JsonValue usage);
    sdk::Step Conclude(const sdk::Call& call);

    std::int64_t max_tokens_;
    sdk::JsonDocument document_;
    openai::OpenAiResponseReader openai_;
    openai::ToolCallAssembler tools_;
    bool is_openai_ = false;
    bool any_ = false;
    std::string reason_;
    std::int64_t completion_tokens_ = -1;
};

}  // namespace aim::cloudflare
