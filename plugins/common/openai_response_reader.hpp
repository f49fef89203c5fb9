// Reads the answers of OpenAI-compatible providers, whole or streamed, into a sink. An answer that
// does not say why it ended is not a success. Tolerant in form (missing, null and unknown members),
// strict in meaning: errors inside a 200 and broken JSON are failures.
//
// One reader reads one answer. The stages return the step that the session returns.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aim/sdk/json.hpp"
#include "aim/sdk/session.hpp"
#include "plugins/common/openai_error_reader.hpp"
#include "plugins/common/openai_tool_calls.hpp"

namespace aim::openai {

// How a provider's answers differ. Made of literals; lists are owned by the plugin.
struct ResponsePolicy {
    std::span<const std::string_view> ignored;  // top-level members that no caller needs
    bool calls_end_with_stop = false;           // an answer with tool calls may say that it stopped
};

class OpenAiResponseReader final {
  public:
    OpenAiResponseReader(const ResponsePolicy& policy, const ErrorRules& rules)
        : policy_(policy), rules_(rules) {}

    // A complete body.
    sdk::Step ReadWhole(const sdk::Call& call, std::string_view body);

    // One event of a stream; "[DONE]" concludes.
    sdk::Step ReadEvent(const sdk::Call& call, std::string_view name, std::string_view data);

    // The body is over. kComplete concludes a stream that has no "[DONE]".
    sdk::Step ReadEnd(const sdk::Call& call, sdk::Ending ending);

  private:
    struct Choice {
        explicit Choice(std::uint32_t number) : index(number), tools(number) {}

        std::uint32_t index;
        ToolCallAssembler tools;
        bool finished = false;
        bool empty_reason_seen = false;
    };

    Choice& ChoiceAt(std::uint32_t index);
    // False after call.Fail().
    bool ReadObject(const sdk::Call& call, sdk::JsonValue root);
    bool ReadChoice(const sdk::Call& call, sdk::JsonValue item, std::uint32_t position);
    void ReadMessage(const sdk::Emitter& out, Choice& choice, sdk::JsonValue message);
    void ReadContent(const sdk::Emitter& out, Choice& choice, sdk::JsonValue content);
    bool ReadFinish(const sdk::Call& call, Choice& choice, std::string_view reason);
    bool Finish(const sdk::Call& call, Choice& choice, sdk::FinishReason reason);
    void ReadUsage(const sdk::Emitter& out, sdk::JsonValue root);
    void PassOn(const sdk::Emitter& out, sdk::JsonValue member);
    sdk::Step Conclude(const sdk::Call& call);

    ResponsePolicy policy_;
    ErrorRules rules_;
    sdk::JsonDocument document_;
    std::vector<Choice> choices_;
    std::vector<std::pair<std::string, std::string>> passed_on_;  // response-wide members, by name
};

}  // namespace aim::openai
