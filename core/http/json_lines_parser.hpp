#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "core/http/line_splitter.hpp"

namespace aim::http {

// Cuts newline-delimited JSON into its texts (LF or CRLF; empty lines are skipped), wherever the
// stream is split. Whether a text is JSON is for its reader. Sans-I/O.
//
//     parser.Push(bytes);
//     while (const auto text = parser.Next()) Use(*text);
class JsonLinesParser {
  public:
    static constexpr std::size_t kDefaultLimit = 32u * 1024 * 1024;

    explicit JsonLinesParser(std::size_t max_line = kDefaultLimit) : lines_(max_line, false) {}

    // The next bytes of the stream; they live until Next() has returned nullopt.
    void Push(std::string_view bytes) { lines_.Push(bytes); }

    // The next text, valid until the next call. Nullopt: more bytes are needed, or failed().
    std::optional<std::string_view> Next();

    // The stream has ended: a last line without its end becomes a text that Next() returns.
    void Finish() { finished_ = true; }

    // A line was longer than the limit; nothing follows.
    bool failed() const { return lines_.failed(); }

  private:
    LineSplitter lines_;
    bool finished_ = false;
    bool last_taken_ = false;
};

}  // namespace aim::http
