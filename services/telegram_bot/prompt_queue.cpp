#include "services/telegram_bot/prompt_queue.hpp"

#include <utility>

namespace aim::telegram_bot {

PromptQueue::Verdict PromptQueue::Offer(Prompt& prompt) {
    const auto chat = chats_.find(prompt.destination.chat_id);
    if (chat != chats_.end() && chat->second.size() >= limits_.waiting_per_chat)
        return Verdict::kChatFull;
    if (running() + waiting_ >= limits_.total) return Verdict::kFull;
    if (chat == chats_.end()) {
        chats_.try_emplace(prompt.destination.chat_id);
        return Verdict::kStart;
    }
    chat->second.push_back(std::move(prompt));
    ++waiting_;
    return Verdict::kQueued;
}

std::optional<Prompt> PromptQueue::Finished(std::int64_t chat_id) {
    const auto chat = chats_.find(chat_id);
    if (chat == chats_.end()) return std::nullopt;
    if (chat->second.empty()) {
        chats_.erase(chat);
        return std::nullopt;
    }
    Prompt next = std::move(chat->second.front());
    chat->second.pop_front();
    --waiting_;
    return next;
}

std::vector<Prompt> PromptQueue::TakeWaiting(std::int64_t chat_id) {
    std::vector<Prompt> taken;
    const auto chat = chats_.find(chat_id);
    if (chat == chats_.end()) return taken;
    for (Prompt& prompt : chat->second) taken.push_back(std::move(prompt));
    chat->second.clear();
    waiting_ -= taken.size();
    return taken;
}

std::vector<Prompt> PromptQueue::TakeAllWaiting() {
    std::vector<Prompt> taken;
    for (auto& [chat_id, waiting] : chats_) {
        for (Prompt& prompt : waiting) taken.push_back(std::move(prompt));
        waiting.clear();
    }
    waiting_ = 0;
    return taken;
}

std::size_t PromptQueue::WaitingIn(std::int64_t chat_id) const {
    const auto chat = chats_.find(chat_id);
    return chat == chats_.end() ? 0 : chat->second.size();
}

}  // namespace aim::telegram_bot
