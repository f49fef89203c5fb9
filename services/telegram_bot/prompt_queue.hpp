#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace aim::telegram_bot {

// Where an answer goes.
struct Destination {
    std::int64_t chat_id = 0;
    std::int64_t thread_id = 0;  // a forum's topic, else 0
    std::int64_t reply_to = 0;   // the message that it answers, in groups; else 0
};

struct Prompt {
    Destination destination;
    bool in_private = true;
    std::int64_t user_id = 0;
    std::string username;
    std::string text;
};

// One prompt at a time for each chat; the next ones wait, so many in a chat and so many in all.
// Says what is to be done, does nothing by itself. One thread.
class PromptQueue {
  public:
    struct Limits {
        std::size_t waiting_per_chat = 3;
        std::size_t total = 256;  // running and waiting
    };
    enum class Verdict { kStart, kQueued, kChatFull, kFull };

    explicit PromptQueue(Limits limits) : limits_(limits) {}

    // kStart: run it now (it is not taken). kQueued: taken. Else: untouched.
    Verdict Offer(Prompt& prompt);

    // The chat's running prompt is done: the next one, which runs from now on.
    std::optional<Prompt> Finished(std::int64_t chat_id);

    // Drops what waits in a chat, or everywhere.
    std::vector<Prompt> TakeWaiting(std::int64_t chat_id);
    std::vector<Prompt> TakeAllWaiting();

    bool IsRunning(std::int64_t chat_id) const { return chats_.contains(chat_id); }
    std::size_t WaitingIn(std::int64_t chat_id) const;
    std::size_t running() const { return chats_.size(); }
    std::size_t waiting() const { return waiting_; }
    const Limits& limits() const { return limits_; }

  private:
    const Limits limits_;
    std::map<std::int64_t, std::deque<Prompt>> chats_;  // those with a running prompt
    std::size_t waiting_ = 0;
};

}  // namespace aim::telegram_bot
