// Reads Anthropic's messages, whole or as a stream of content blocks, into a sink. Success needs a
// stop reason and, of a stream, `message_stop`.
//
// One reader reads one answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aim/sdk/json.hpp"
#include "aim/sdk/session.hpp"

namespace aim::anthropic {

class MessageReader final {
  public:
    sdk::Step ReadWhole(const sdk::Call& call, std::string_view body);
    sdk::Step ReadEvent(const sdk::Call& call, std::string_view name, std::string_view data);

  private:
    // A content block that is arriving.
    struct Block {
        std::int64_t index = 0;
        std::string type;
        std::uint32_t tool = 0;
        std::string input;  // of a call, when it came with its start
        bool has_arguments = false;
        std::string thinking;
        std::string signature;
        std::string redacted;
    };

    sdk::Step Fail(const sdk::Call& call, sdk::JsonValue root) const;
    Block* Find(std::int64_t index);
    void StartMessage(const sdk::Emitter& out, sdk::JsonValue message);
    void StartBlock(const sdk::Emitter& out, std::int64_t index, sdk::JsonValue content);
    void AddDelta(const sdk::Emitter& out, Block& block, sdk::JsonValue delta);
    void StopBlock(const sdk::Emitter& out, Block& block);
    // False when nothing said why the message ended.
    bool Finish(const sdk::Emitter& out);
    void ReadUsage(const sdk::Emitter& out, sdk::JsonValue usage);

    sdk::JsonDocument document_;
    std::vector<Block> open_;
    std::uint32_t tool_count_ = 0;
    std::string thinking_blocks_;                             // items of a JSON array
    std::vector<std::pair<std::string, std::string>> usage_;  // members as they came
    bool started_ = false;
    std::string stop_;  // the object that has the stop reason
    bool finished_ = false;
};

}  // namespace aim::anthropic
