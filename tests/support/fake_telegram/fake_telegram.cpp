#include "tests/support/fake_telegram/fake_telegram.hpp"

#include <algorithm>
#include <thread>

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "tests/support/fake_telegram/entity_parser.hpp"

namespace aim::testing {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kLongestMessage = 4096;
constexpr std::size_t kLongestButtonData = 64;
constexpr std::size_t kMostUpdates = 100;

std::string Quote(std::string_view text) {
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
    return buffer.GetString();
}

std::string Serialize(const rapidjson::Value& value) {
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    value.Accept(writer);
    return buffer.GetString();
}

std::string Envelope(int code, const std::string& description, const std::string& parameters) {
    return "{\"ok\":false,\"error_code\":" + std::to_string(code) +
           ",\"description\":" + Quote(description) +
           (parameters.empty() ? "" : ",\"parameters\":{" + parameters + "}") + "}";
}

std::string UserJson(std::int64_t user) {
    return "{\"id\":" + std::to_string(user) +
           R"(,"is_bot":false,"first_name":"Анна","username":"user_)" + std::to_string(user) +
           "\"}";
}

std::string ChatJson(std::int64_t chat) {
    return "{\"id\":" + std::to_string(chat) +
           ",\"type\":" + (chat > 0 ? "\"private\"" : "\"supergroup\"") + "}";
}

std::string MessageHead(std::int64_t id, std::int64_t chat, std::int64_t user) {
    return "\"message_id\":" + std::to_string(id) +
           ",\"date\":1790000000,\"from\":" + UserJson(user) + ",\"chat\":" + ChatJson(chat);
}

}  // namespace

struct FakeTelegram::Arguments {
    explicit Arguments(const std::string& body) { document.Parse(body.c_str()); }

    bool valid() const { return !document.HasParseError() && document.IsObject(); }
    std::int64_t Int(const char* name, std::int64_t otherwise = 0) const {
        if (!valid() || !document.HasMember(name) || !document[name].IsInt64()) return otherwise;
        return document[name].GetInt64();
    }
    std::string Text(const char* name) const {
        if (!valid() || !document.HasMember(name) || !document[name].IsString()) return {};
        return {document[name].GetString(), document[name].GetStringLength()};
    }

    rapidjson::Document document;
};

FakeTelegram::FakeTelegram(std::string token) : token_(std::move(token)) {
    server_ = std::make_unique<RawServer>([this](RawServer::Peer& peer, int) { Serve(peer); });
}

FakeTelegram::~FakeTelegram() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    server_.reset();
}

void FakeTelegram::Serve(RawServer::Peer& peer) {
    for (;;) {
        const std::string request = peer.ReadRequest();
        if (request.empty()) return;
        const std::string target =
            request.substr(request.find(' ') + 1,
                           request.find(' ', request.find(' ') + 1) - request.find(' ') - 1);
        const std::string prefix = "/bot" + token_ + "/";
        Reply reply;
        if (target.starts_with(prefix)) {
            reply =
                Answer(target.substr(prefix.size()), request.substr(request.find("\r\n\r\n") + 4));
        } else if (target.starts_with("/bot")) {
            reply = {401, Envelope(401, "Unauthorized", "")};
        } else {
            reply = {404, Envelope(404, "Not Found", "")};
        }
        if (!peer.Write("HTTP/1.1 " + std::to_string(reply.status) +
                        " Said\r\nContent-Type: application/json\r\nContent-Length: " +
                        std::to_string(reply.body.size()) + "\r\n\r\n" + reply.body))
            return;
    }
}

FakeTelegram::Reply FakeTelegram::Answer(const std::string& method, const std::string& body) {
    const Arguments arguments(body);
    std::unique_lock lock(mutex_);
    const std::size_t index = calls_.size();
    calls_.push_back({method, body, 0, arguments.Int("chat_id"), Clock::now()});
    Reply reply;
    if (!arguments.valid()) {
        reply = {400, Envelope(400, "Bad Request: can't parse JSON object", "")};
    } else if (!FaultFor(method, arguments, reply)) {
        reply = Dispatch(method, arguments, lock);
    }
    calls_[index].status = reply.status;
    lock.unlock();
    changed_.notify_all();
    return reply;
}

bool FakeTelegram::FaultFor(const std::string& method, const Arguments& arguments, Reply& reply) {
    for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
        if (fault->method != method) continue;
        if (fault->chat_id != 0 && fault->chat_id != arguments.Int("chat_id")) continue;
        if (!fault->parse_mode.empty() && fault->parse_mode != arguments.Text("parse_mode"))
            continue;
        std::string parameters;
        if (fault->retry_after >= 0)
            parameters = "\"retry_after\":" + std::to_string(fault->retry_after);
        if (fault->migrate_to != 0)
            parameters = "\"migrate_to_chat_id\":" + std::to_string(fault->migrate_to);
        reply.status = fault->code;
        reply.body = fault->raw_body.empty() ? Envelope(fault->code, fault->description, parameters)
                                             : fault->raw_body;
        if (--fault->times == 0) faults_.erase(fault);
        return true;
    }
    return false;
}

FakeTelegram::Reply FakeTelegram::Dispatch(const std::string& method, const Arguments& arguments,
                                           std::unique_lock<std::mutex>& lock) {
    if (method == "getUpdates") return GetUpdates(arguments, lock);
    if (method == "sendMessage") return SendMessage(arguments);
    if (method == "editMessageText") return EditMessage(arguments);
    if (method == "answerCallbackQuery") return AnswerCallback(arguments);
    Reply reply{200, R"({"ok":true,"result":true})"};
    if (method == "getMe") {
        reply.body = R"({"ok":true,"result":{"id":)" + std::to_string(kBotId) +
                     R"(,"is_bot":true,"first_name":"AI Manager","username":")" +
                     std::string(kBotName) + "\"}}";
    } else if (method == "deleteWebhook") {
        webhook_ = false;
    } else if (method == "sendChatAction") {
        CheckChat(arguments.Int("chat_id"), reply);
    } else if (method != "setMyCommands") {
        reply = {404, Envelope(404, "Not Found: method not found", "")};
    }
    return reply;
}

// The newer poll ends the older one, as Telegram does it.
FakeTelegram::Reply FakeTelegram::GetUpdates(const Arguments& arguments,
                                             std::unique_lock<std::mutex>& lock) {
    if (webhook_) {
        return {409, Envelope(409,
                              "Conflict: can't use getUpdates method while webhook is active; use "
                              "deleteWebhook to delete the webhook first",
                              "")};
    }
    const std::uint64_t poll = ++current_poll_;
    changed_.notify_all();
    const std::int64_t offset = arguments.Int("offset");
    updates_.erase(updates_.begin(), updates_.lower_bound(offset));
    const auto time =
        std::chrono::seconds(std::clamp<std::int64_t>(arguments.Int("timeout"), 0, 50));
    ++polls_;
    changed_.wait_for(lock, time, [&] {
        return stopping_ || current_poll_ != poll || updates_.lower_bound(offset) != updates_.end();
    });
    --polls_;
    if (current_poll_ != poll) {
        return {409, Envelope(409,
                              "Conflict: terminated by other getUpdates request; make sure that "
                              "only one bot instance is running",
                              "")};
    }
    std::string list;
    std::size_t count = 0;
    const auto limit = static_cast<std::size_t>(
        std::clamp<std::int64_t>(arguments.Int("limit", kMostUpdates), 1, kMostUpdates));
    for (auto update = updates_.lower_bound(offset); update != updates_.end() && count < limit;
         ++update, ++count)
        list += (count == 0 ? "" : ",") + update->second;
    return {200, "{\"ok\":true,\"result\":[" + list + "]}"};
}

bool FakeTelegram::CheckChat(std::int64_t chat, Reply& reply) const {
    if (blocked_.contains(chat)) {
        reply = {403, Envelope(403, "Forbidden: bot was blocked by the user", "")};
        return false;
    }
    if (!chats_.contains(chat)) {
        reply = {400, Envelope(400, "Bad Request: chat not found", "")};
        return false;
    }
    return true;
}

bool FakeTelegram::ReadText(const Arguments& arguments, bool edit, ChatMessage& message,
                            Reply& reply) const {
    const auto refuse = [&](const std::string& why) {
        reply = {400, Envelope(400, "Bad Request: " + why, "")};
        return false;
    };
    message.source = arguments.Text("text");
    message.parse_mode = arguments.Text("parse_mode");
    ParsedText parsed;
    parsed.visible = message.source;
    if (message.parse_mode == "HTML") {
        parsed = ParseTelegramHtml(message.source);
    } else if (message.parse_mode == "MarkdownV2") {
        parsed = ParseTelegramMarkdownV2(message.source);
    } else if (!message.parse_mode.empty()) {
        return refuse("unsupported parse_mode");
    }
    if (!parsed.error.empty()) return refuse(parsed.error);
    message.visible = TrimMessage(parsed.visible);
    if (message.visible.empty()) return refuse("message text is empty");
    if (TelegramLength(message.visible) > kLongestMessage)
        return refuse(edit ? "MESSAGE_TOO_LONG" : "message is too long");
    if (arguments.document.HasMember("reply_markup")) {
        const auto& markup = arguments.document["reply_markup"];
        if (!markup.IsObject() || !markup.HasMember("inline_keyboard"))
            return refuse("object expected as reply markup");
        for (const auto& row : markup["inline_keyboard"].GetArray()) {
            for (const auto& button : row.GetArray()) {
                const std::string data = button["callback_data"].GetString();
                if (data.empty() || data.size() > kLongestButtonData)
                    return refuse("BUTTON_DATA_INVALID");
            }
        }
        message.markup = Serialize(markup);
    }
    return true;
}

FakeTelegram::Reply FakeTelegram::SendMessage(const Arguments& arguments) {
    Reply reply;
    const std::int64_t chat = arguments.Int("chat_id");
    ChatMessage message;
    if (!CheckChat(chat, reply) || !ReadText(arguments, false, message, reply)) return reply;
    message.id = next_message_++;
    message.from_bot = true;
    chats_[chat].push_back(message);
    reply.body = "{\"ok\":true,\"result\":{\"message_id\":" + std::to_string(message.id) +
                 ",\"chat\":" + ChatJson(chat) + ",\"text\":" + Quote(message.visible) + "}}";
    return reply;
}

FakeTelegram::Reply FakeTelegram::EditMessage(const Arguments& arguments) {
    Reply reply;
    const std::int64_t chat = arguments.Int("chat_id");
    if (!CheckChat(chat, reply)) return reply;
    auto& messages = chats_[chat];
    const auto old = std::find_if(messages.begin(), messages.end(), [&](const ChatMessage& m) {
        return m.id == arguments.Int("message_id");
    });
    if (old == messages.end())
        return {400, Envelope(400, "Bad Request: message to edit not found", "")};
    if (!old->from_bot) return {400, Envelope(400, "Bad Request: message can't be edited", "")};
    const auto last = last_edit_.find(chat);
    if (last != last_edit_.end() && Clock::now() - last->second < edit_interval_)
        return {429, Envelope(429, "Too Many Requests: retry after 1", "\"retry_after\":1")};
    ChatMessage message;
    if (!ReadText(arguments, true, message, reply)) return reply;
    // Formatting that changes is a change too.
    if (old->visible == message.visible && old->markup == message.markup &&
        (old->source == message.source ||
         (old->parse_mode.empty() && message.source == message.visible))) {
        return {400,
                Envelope(400,
                         "Bad Request: message is not modified: specified new message content and "
                         "reply markup are exactly the same as a current content and reply markup "
                         "of the message",
                         "")};
    }
    last_edit_[chat] = Clock::now();
    message.id = old->id;
    message.from_bot = true;
    message.edits = old->edits + 1;
    *old = message;
    reply.body = "{\"ok\":true,\"result\":{\"message_id\":" + std::to_string(message.id) +
                 ",\"chat\":" + ChatJson(chat) + ",\"text\":" + Quote(message.visible) + "}}";
    return reply;
}

FakeTelegram::Reply FakeTelegram::AnswerCallback(const Arguments& arguments) {
    if (questions_.erase(arguments.Text("callback_query_id")) == 0) {
        return {400, Envelope(400,
                              "Bad Request: query is too old and response timeout expired or query "
                              "ID is invalid",
                              "")};
    }
    if (TelegramLength(arguments.Text("text")) > 200)
        return {400, Envelope(400, "Bad Request: MESSAGE_TOO_LONG", "")};
    return {200, R"({"ok":true,"result":true})"};
}

// --- what people do ---

void FakeTelegram::PushLocked(const std::string& members) {
    const std::int64_t id = next_update_++;
    updates_[id] = "{\"update_id\":" + std::to_string(id) + "," + members + "}";
    changed_.notify_all();
}

void FakeTelegram::Push(const std::string& members) {
    const std::lock_guard lock(mutex_);
    PushLocked(members);
}

std::int64_t FakeTelegram::AddUserMessage(std::int64_t chat, std::int64_t user,
                                          std::string_view text, bool group) {
    const std::lock_guard lock(mutex_);
    ChatMessage message;
    message.id = next_message_++;
    message.visible = text;
    message.source = text;
    chats_[chat].push_back(message);
    static_cast<void>(group);
    PushLocked("\"message\":{" + MessageHead(message.id, chat, user) + ",\"text\":" + Quote(text) +
               "}");
    return message.id;
}

std::int64_t FakeTelegram::Say(std::int64_t user, std::string_view text) {
    return AddUserMessage(user, user, text, false);
}

std::int64_t FakeTelegram::SayInGroup(std::int64_t group, std::int64_t user,
                                      std::string_view text) {
    return AddUserMessage(group, user, text, true);
}

void FakeTelegram::EditLast(std::int64_t user, std::string_view text) {
    const std::lock_guard lock(mutex_);
    auto& messages = chats_[user];
    const auto last = std::find_if(messages.rbegin(), messages.rend(),
                                   [](const ChatMessage& m) { return !m.from_bot; });
    if (last == messages.rend()) return;
    last->visible = text;
    PushLocked("\"edited_message\":{" + MessageHead(last->id, user, user) +
               ",\"edit_date\":1790000001,\"text\":" + Quote(text) + "}");
}

void FakeTelegram::SendPhoto(std::int64_t user) {
    const std::lock_guard lock(mutex_);
    ChatMessage message;
    message.id = next_message_++;
    message.visible = "[photo]";
    chats_[user].push_back(message);
    PushLocked("\"message\":{" + MessageHead(message.id, user, user) +
               R"(,"photo":[{"file_id":"f","width":90,"height":90}]})");
}

std::string FakeTelegram::Press(std::int64_t user, std::int64_t chat, std::int64_t message_id,
                                std::string_view data) {
    const std::lock_guard lock(mutex_);
    const std::string question = std::to_string(4'000'000 + next_question_++);
    questions_.insert(question);
    PushLocked("\"callback_query\":{\"id\":" + Quote(question) + ",\"from\":" + UserJson(user) +
               ",\"message\":{\"message_id\":" + std::to_string(message_id) +
               ",\"date\":1790000000,\"chat\":" + ChatJson(chat) +
               "},\"chat_instance\":\"1\",\"data\":" + Quote(data) + "}");
    return question;
}

void FakeTelegram::Block(std::int64_t user) {
    const std::lock_guard lock(mutex_);
    blocked_.insert(user);
    PushLocked(
        "\"my_chat_member\":{\"chat\":" + ChatJson(user) + ",\"from\":" + UserJson(user) +
        R"(,"date":1790000000,"old_chat_member":{"status":"member"},"new_chat_member":{"status":"kicked"}})");
}

void FakeTelegram::Inject(TelegramFault fault) {
    const std::lock_guard lock(mutex_);
    faults_.push_back(std::move(fault));
}

void FakeTelegram::SetWebhook(bool active) {
    const std::lock_guard lock(mutex_);
    webhook_ = active;
    if (active) ++current_poll_;
    changed_.notify_all();
}

void FakeTelegram::ExpireButtons() {
    const std::lock_guard lock(mutex_);
    questions_.clear();
}

void FakeTelegram::SetEditInterval(milliseconds interval) {
    const std::lock_guard lock(mutex_);
    edit_interval_ = interval;
}

// --- what the test sees ---

std::vector<ChatMessage> FakeTelegram::Messages(std::int64_t chat) const {
    const std::lock_guard lock(mutex_);
    const auto found = chats_.find(chat);
    return found == chats_.end() ? std::vector<ChatMessage>() : found->second;
}

ChatMessage FakeTelegram::LastFromBot(std::int64_t chat) const {
    const std::vector<ChatMessage> messages = Messages(chat);
    const auto last = std::find_if(messages.rbegin(), messages.rend(),
                                   [](const ChatMessage& m) { return m.from_bot; });
    return last == messages.rend() ? ChatMessage() : *last;
}

std::vector<TelegramCall> FakeTelegram::Calls(std::string_view method) const {
    const std::lock_guard lock(mutex_);
    std::vector<TelegramCall> calls;
    for (const TelegramCall& call : calls_) {
        if (method.empty() || call.method == method) calls.push_back(call);
    }
    return calls;
}

std::string FakeTelegram::Transcript(std::int64_t chat) const {
    std::string text;
    for (const ChatMessage& message : Messages(chat)) {
        text += (message.from_bot ? "Bot: " : "User: ") + message.visible + "\n";
        if (!message.markup.empty()) text += "[" + message.markup + "]\n";
        text += "---\n";
    }
    return text;
}

std::size_t FakeTelegram::Unconfirmed() const {
    const std::lock_guard lock(mutex_);
    return updates_.size();
}

bool FakeTelegram::Polling() const {
    const std::lock_guard lock(mutex_);
    return polls_ > 0;
}

bool FakeTelegram::WaitUntil(const std::function<bool()>& condition, milliseconds limit) const {
    const auto end = Clock::now() + limit;
    while (!condition()) {
        if (Clock::now() >= end) return false;
        std::this_thread::sleep_for(milliseconds(5));
    }
    return true;
}

bool FakeTelegram::WaitForText(std::int64_t chat, std::string_view text, milliseconds limit) const {
    return WaitUntil([&] { return LastFromBot(chat).visible.find(text) != std::string::npos; },
                     limit);
}

}  // namespace aim::testing
