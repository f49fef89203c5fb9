#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/http/sse_parser.hpp"
#include "core/json/json.hpp"
#include "services/cli/remote/remote.hpp"

namespace aim::cli {

// What is known of the answer when it is over.
struct Reply {
    std::string text;  // kept only when it is not streamed
    std::string model;
    std::string provider;
    std::string score;
    std::string attempts;
    std::string request_id;
    std::string finish_reason;
    std::optional<std::int64_t> prompt_tokens;
    std::optional<std::int64_t> completion_tokens;
    std::chrono::milliseconds took{0};
};

// From the answer's head: who answers, with what score, after how many attempts.
void ReadHead(const RemoteAnswer& answer, Reply& reply);
// From OpenAI's usage object; anything else changes nothing.
void ReadUsage(json::Value usage, Reply& reply);

// "m1 (groq), 1.2 s, score 98.5, 12 + 80 tokens"
std::string SummaryOf(const Reply& reply);
// One object and a line end.
std::string ToJson(const Reply& reply);

// The gateway answered, but not with what was asked for: exit code 1.
Error BrokenAnswer(std::string message, std::string_view code);

// Reads the events of a stream and prints the text in them at once.
class StreamPrinter {
  public:
    // `harmless`: without control characters, for terminals. `reply` outlives this.
    StreamPrinter(Reply& reply, bool harmless) : reply_(reply), harmless_(harmless) {}

    // False: nothing more is wanted.
    bool Feed(std::string_view bytes);

    bool done() const { return done_; }            // the terminator came
    bool line_open() const { return line_open_; }  // what was printed last has no line end
    bool closed_output() const { return closed_output_; }
    const std::optional<Error>& error() const { return error_; }

  private:
    bool OnEvent(std::string_view data);

    Reply& reply_;
    const bool harmless_;
    http::SseParser parser_;
    bool done_ = false;
    bool line_open_ = false;
    bool closed_output_ = false;
    std::optional<Error> error_;
};

}  // namespace aim::cli
