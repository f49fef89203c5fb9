#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include "core/base/clock.hpp"
#include "core/http/response.hpp"

namespace aim::http {

// The value of the Date header, made once a second. One loop's thread.
class DateCache {
  public:
    explicit DateCache(const Clock& clock) : clock_(clock) {}
    std::string_view Get();

  private:
    const Clock& clock_;
    std::int64_t second_ = -1;
    std::string text_;
};

// How the body that follows a head is delimited.
enum class Framing { kLength, kChunked, kUntilClose, kNone };

// What a server says of the connection.
enum class ConnectionHeader { kNone, kClose, kKeepAlive };

// Appends the head of an answer to `out`. Framing, Date and Connection are the server's: fields of
// these names in `response` are left out. Whoever filled in a value, no byte of it ends a line:
// control characters become spaces.
void AppendHead(const Response& response, Framing framing, ConnectionHeader connection,
                std::string_view date, std::string& out);

// 1xx, 204 and 304 have no body and no length.
bool StatusHasBody(int status);

}  // namespace aim::http
