#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace aim::telegram_bot {

// How a call for an answer ended.
struct ChatEnd {
    enum class Kind {
        kCompleted,    // with the stream's regular end
        kCut,          // after some of the answer: connection lost, or an error in the stream
        kRefused,      // an error answer: status, code, retry_after
        kUnreachable,  // no connection, no answer, or none that could be read
        kCancelled,    // we gave up: stopped by the user, the chat is gone, the process ends
    };

    Kind kind = Kind::kUnreachable;
    int status = 0;
    std::string code;           // the business API's error code; may be empty
    std::string finish_reason;  // of a completed answer
    std::string detail;         // for the log; no secrets, no text of people
    std::optional<std::chrono::milliseconds> retry_after;
};

}  // namespace aim::telegram_bot
