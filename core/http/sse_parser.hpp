#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.hpp"
#include "core/http/line_splitter.hpp"

namespace aim::http {

// The one reader of server-sent events (WHATWG HTML, section 9.2.6): lines end with LF, CRLF or CR,
// an empty line dispatches, data lines are joined with LF, comments are counted and dropped.
// Sans-I/O; gives the same events however the stream is split.
//
//     parser.Push(bytes);
//     while (const auto event = parser.Next()) Use(*event);
//
// An event with one data line that lies whole in the pushed bytes is not copied.
class SseParser {
  public:
    static constexpr std::size_t kDefaultLimit = 32u * 1024 * 1024;

    struct Limits {
        std::size_t max_line = kDefaultLimit;
        std::size_t max_event = kDefaultLimit;  // all data lines together
    };

    // Views into the pushed bytes or the parser; valid until the next call of Next(), Push() or
    // Finish().
    struct Event {
        std::string_view data;
        std::string_view event;  // empty when not named ("message")
        std::string_view id;     // the last one seen on this stream
    };

    // How the stream ended.
    struct End {
        bool truncated = false;      // something had come that no empty line finished
        std::optional<Event> event;  // that something, when it was asked for
    };

    SseParser() : SseParser(Limits{}) {}
    explicit SseParser(Limits limits);

    // The next bytes of the stream; they live until Next() has returned nullopt.
    void Push(std::string_view bytes) { lines_.Push(bytes); }

    // The next event. Nullopt: more bytes are needed, or failed().
    std::optional<Event> Next();

    // The stream has ended; call after Next() returned nullopt. An event that no empty line
    // dispatched is dropped, as the standard says; with `flush` it is handed out, for providers
    // that forget the last line.
    End Finish(bool flush = false);

    // The same as one call: `on_event(const Event&)` returns false to stop, and the rest of `bytes`
    // is then dropped.
    template <typename OnEvent>
    Result<void> Feed(std::string_view bytes, OnEvent&& on_event) {
        Push(bytes);
        while (const auto event = Next()) {
            if (!on_event(*event)) return {};
        }
        if (failed()) return Fail(ErrorKind::kProtocolError, problem());
        return {};
    }

    // A line or an event was longer than its limit; nothing follows.
    bool failed() const { return failed_ || lines_.failed(); }
    const char* problem() const {
        return failed_ ? "an event is too long" : "a line of the event stream is too long";
    }

    // Lines that began with a colon: a provider's sign of life.
    std::uint64_t comments() const { return comments_; }
    // The reconnection time that the stream last named.
    std::optional<std::chrono::milliseconds> retry() const { return retry_; }

  private:
    void OnLine(std::string_view line);
    void OnData(std::string_view line, std::string_view value);
    void KeepData();
    Event MakeEvent();
    void StartEvent();

    Limits limits_;
    LineSplitter lines_;
    bool failed_ = false;
    bool first_line_ = true;
    bool dispatched_ = false;  // the last Next() returned an event, whose views are still in use
    std::uint64_t comments_ = 0;
    std::optional<std::chrono::milliseconds> retry_;

    bool has_data_ = false;
    bool data_kept_ =
        false;  // in data_, from data_at_ on; otherwise data_view_ points into the input
    std::string_view data_view_;
    std::string data_;
    std::size_t data_at_ = 0;
    std::string event_;
    std::string id_;
};

}  // namespace aim::http
