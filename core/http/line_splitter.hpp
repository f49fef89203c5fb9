#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace aim::http {

// Cuts a byte stream into lines that end with LF, CRLF or, when asked, a lone CR, wherever the
// stream is split. A line that lies whole in one input is a view into it; only one that does not is
// copied. Sans-I/O.
class LineSplitter {
  public:
    // `lone_cr`: a CR that no LF follows ends a line too. `max_line` is in bytes, without the end
    // of line.
    LineSplitter(std::size_t max_line, bool lone_cr) : max_line_(max_line), lone_cr_(lone_cr) {}

    // The next input; holds until Next() has returned nullopt.
    void Push(std::string_view bytes);

    // The next whole line, valid until the next call of anything here. Nullopt: no more in this
    // input, or failed().
    std::optional<std::string_view> Next();

    // Whether the last line of Next() lies in the carry, that is, dies with the next call although
    // the input lives on.
    bool last_was_carried() const { return last_was_carried_; }
    // Takes the carried line's storage instead of copying it; only after Next() when
    // last_was_carried().
    void SwapCarry(std::string& other) { carry_.swap(other); }
    std::string_view carried() const { return carry_; }

    // What has come of a line that has not ended; also after the last line of the stream.
    std::string_view rest() const {
        return carry_live_ ? std::string_view(carry_) : std::string_view();
    }
    bool failed() const { return failed_; }

  private:
    std::optional<std::string_view> Emit(std::size_t end);
    std::optional<std::string_view> Fail();

    std::size_t max_line_;
    bool lone_cr_;
    bool failed_ = false;
    bool skip_lf_ = false;     // the last byte was a CR that ended a line
    bool carry_live_ = false;  // carry_ holds the beginning of a line
    bool last_was_carried_ = false;
    std::string_view input_;
    std::size_t at_ = 0;
    std::size_t next_lf_ = 0;  // no LF in [at_, next_lf_)
    bool lf_known_ = false;
    std::string carry_;
};

}  // namespace aim::http
