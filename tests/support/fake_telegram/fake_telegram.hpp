#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/raw_server.hpp"

namespace aim::testing {

// A message as it stands in a chat.
struct ChatMessage {
    std::int64_t id = 0;
    bool from_bot = false;
    std::string visible;     // what people see
    std::string source;      // what was sent
    std::string parse_mode;  // empty: plain
    std::string markup;      // reply_markup as JSON
    int edits = 0;
};

// A call of the bot, with what it got.
struct TelegramCall {
    std::string method;
    std::string body;
    int status = 0;
    std::int64_t chat_id = 0;
    std::chrono::steady_clock::time_point at{};
};

// An answer other than the regular one, for calls to come.
struct TelegramFault {
    std::string method;
    int code = 500;
    std::string description;
    int retry_after = -1;  // seconds; negative: not said
    int times = 1;
    std::int64_t chat_id = 0;  // 0: any
    std::string parse_mode;    // only calls with this one; empty: any
    std::string raw_body;      // instead of the Bot API's envelope
    std::int64_t migrate_to = 0;
};

// Telegram's Bot API over HTTP, with its rules: lengths in UTF-16 units, entities, unknown chats,
// edits that change nothing, one poller at a time, buttons that get old. Users are played by the
// test; what is said in each chat is kept. Thread-safe.
class FakeTelegram {
  public:
    static constexpr std::int64_t kBotId = 700100;
    static constexpr std::string_view kBotName = "AiManagerTestBot";

    explicit FakeTelegram(std::string token);
    ~FakeTelegram();
    FakeTelegram(const FakeTelegram&) = delete;
    FakeTelegram& operator=(const FakeTelegram&) = delete;

    std::string url() const { return server_->Url(""); }
    std::uint16_t port() const { return server_->port(); }
    const std::string& token() const { return token_; }

    // What people do. `user` is their id, and that of their private chat. The id of the message.
    std::int64_t Say(std::int64_t user, std::string_view text);
    std::int64_t SayInGroup(std::int64_t group, std::int64_t user, std::string_view text);
    void EditLast(std::int64_t user, std::string_view text);
    void SendPhoto(std::int64_t user);
    // Presses a button; returns the id of the question.
    std::string Press(std::int64_t user, std::int64_t chat, std::int64_t message_id,
                      std::string_view data);
    // The user blocks the bot.
    void Block(std::int64_t user);
    // Any update: the members beside update_id.
    void Push(const std::string& members);

    void Inject(TelegramFault fault);
    void SetWebhook(bool active);
    // Questions by buttons are too old from now on.
    void ExpireButtons();
    // Edits of a chat that come faster get 429; zero: any speed is fine.
    void SetEditInterval(std::chrono::milliseconds interval);

    std::vector<ChatMessage> Messages(std::int64_t chat) const;
    // The bot's last message in the chat, or an empty one.
    ChatMessage LastFromBot(std::int64_t chat) const;
    std::vector<TelegramCall> Calls(std::string_view method = {}) const;
    // "User: …" and "Bot: …", one block a message, as the chat looks now.
    std::string Transcript(std::int64_t chat) const;
    // Updates that the bot has not confirmed.
    std::size_t Unconfirmed() const;
    bool Polling() const;

    // False when the time is over first.
    bool WaitUntil(const std::function<bool()>& condition,
                   std::chrono::milliseconds limit = std::chrono::seconds(30)) const;
    // Until the bot's last message in the chat contains the text.
    bool WaitForText(std::int64_t chat, std::string_view text,
                     std::chrono::milliseconds limit = std::chrono::seconds(30)) const;

  private:
    struct Arguments;
    struct Reply {
        int status = 200;
        std::string body;
    };

    void Serve(RawServer::Peer& peer);
    Reply Answer(const std::string& method, const std::string& body);
    Reply Dispatch(const std::string& method, const Arguments& arguments,
                   std::unique_lock<std::mutex>& lock);
    Reply GetUpdates(const Arguments& arguments, std::unique_lock<std::mutex>& lock);
    Reply SendMessage(const Arguments& arguments);
    Reply EditMessage(const Arguments& arguments);
    Reply AnswerCallback(const Arguments& arguments);
    bool FaultFor(const std::string& method, const Arguments& arguments, Reply& reply);
    bool CheckChat(std::int64_t chat, Reply& reply) const;
    bool ReadText(const Arguments& arguments, bool edit, ChatMessage& message, Reply& reply) const;
    void PushLocked(const std::string& members);
    std::int64_t AddUserMessage(std::int64_t chat, std::int64_t user, std::string_view text,
                                bool group);

    const std::string token_;
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    bool stopping_ = false;
    std::int64_t next_update_ = 900'001;
    std::int64_t next_message_ = 1;
    std::int64_t next_question_ = 1;
    std::map<std::int64_t, std::string> updates_;
    std::map<std::int64_t, std::vector<ChatMessage>> chats_;
    std::set<std::int64_t> blocked_;
    std::set<std::string> questions_;
    std::deque<TelegramFault> faults_;
    std::vector<TelegramCall> calls_;
    std::map<std::int64_t, std::chrono::steady_clock::time_point> last_edit_;
    std::chrono::milliseconds edit_interval_{0};
    bool webhook_ = false;
    std::uint64_t current_poll_ = 0;
    int polls_ = 0;
    std::unique_ptr<RawServer> server_;
};

}  // namespace aim::testing
