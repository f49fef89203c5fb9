#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/config/environment.hpp"

namespace aim::cli {

// What the program knows of the place it prints to.
struct Terminal {
    bool is_terminal = false;
    bool colours = false;  // a terminal that shows them, and no NO_COLOR
    int columns = 0;       // 0: no limit

    // Of the descriptor: STDOUT_FILENO or STDERR_FILENO.
    static Terminal Of(int descriptor, const config::Environment& environment);
};

enum class Colour { kNone, kGreen, kYellow, kRed, kDim, kBold };

// `text` between the colour's escape sequences, or as it is.
std::string Coloured(std::string_view text, Colour colour, bool wanted);

// Writes all of it to the standard output at once (nothing stays in a buffer). False when it cannot
// be written, or when a signal came while the reader was slow.
bool Print(std::string_view text);

// Without what a terminal would obey: control characters other than line end and tab are left out,
// malformed UTF-8 becomes U+FFFD. For texts that come from a server.
std::string Harmless(std::string_view text);

// "aimanager: <message>" on the standard error.
void Complain(std::string_view message);

// Complains (with `as_json` also says it as an object on the standard output) and returns the exit
// code that the error means: 130 interrupted, 1 refused by a server, 2 wrong input, 3 everything
// that kept the command from being done.
int Report(const Error& error, bool as_json);

}  // namespace aim::cli
