#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "services/telegram_bot/edit_throttle.hpp"
#include "services/telegram_bot/message_sender.hpp"
#include "services/telegram_bot/utf16.hpp"

namespace aim::telegram_bot {

// An answer as a chat sees it: one message that grows by edits, and further ones when it is longer
// than a message may be. While it grows it is plain text; a part that is done is formatted. One
// answer, one coroutine at a time.
class AnswerView {
  public:
    AnswerView(MessageSender& sender, Destination destination, EditThrottle throttle)
        : sender_(sender), destination_(destination), throttle_(throttle) {}

    // More text, to be shown soon. Once the answer has kMostBytes it takes no more (false).
    bool Append(std::string_view text);
    static constexpr std::size_t kMostBytes = 20 * kMessageUnits;

    // Whether there is something to show, and the time for it.
    bool dirty() const { return dirty_; }
    bool MayShow(MonotonicTime now) const { return throttle_.MayShow(now); }
    MonotonicTime next_show() const { return throttle_.next(); }

    // Shows what there is. An error means that the chat takes nothing any more.
    Task<ApiResult<void>> Show(Cancellation& cancellation);

    // Shows all of it with `foot` under it, formatted; waits until Telegram has taken it.
    Task<ApiResult<void>> Finish(std::string foot, Cancellation& cancellation);

  private:
    Task<ApiResult<void>> DeliverFullParts(Cancellation& cancellation);
    Task<ApiResult<void>> DeliverPart(std::string part, Cancellation& cancellation);

    MessageSender& sender_;
    const Destination destination_;
    EditThrottle throttle_;
    std::string carry_;    // the opening line of the code block that goes on in this part
    std::string pending_;  // what is not in a part that is done
    std::size_t total_bytes_ = 0;
    std::int64_t message_id_ = 0;  // of the part that grows; 0 before it is shown
    bool dirty_ = false;
};

}  // namespace aim::telegram_bot
