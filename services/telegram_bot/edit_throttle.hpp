#pragma once

#include <algorithm>
#include <chrono>

#include "core/base/clock.hpp"

namespace aim::telegram_bot {

// When the text of a message that still grows may be shown again: Telegram takes about one edit a
// second in a chat, and fewer in a group. Time is an argument. One answer, one thread.
class EditThrottle {
  public:
    explicit EditThrottle(std::chrono::milliseconds interval) : interval_(interval) {}

    bool MayShow(MonotonicTime now) const { return now >= next_; }
    MonotonicTime next() const { return next_; }

    // A call has ended. From its end, not its start: what counts is when Telegram got it.
    void Shown(MonotonicTime now) { next_ = std::max(next_, now + interval_); }
    // Telegram said to wait so long.
    void Postpone(MonotonicTime now, std::chrono::milliseconds wait) {
        next_ = std::max(next_, now + std::max(wait, interval_));
    }

  private:
    std::chrono::milliseconds interval_;
    MonotonicTime next_{};
};

}  // namespace aim::telegram_bot
