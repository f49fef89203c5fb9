#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace aim::cli {

// How many columns of a terminal the text takes: none for combining and other invisible characters,
// two for East Asian wide ones and emoji, one for all others. Malformed bytes count as one each.
std::size_t DisplayWidth(std::string_view text);

// The text when it fits into `columns`, else its beginning with "…" at the end. Cuts no character,
// and keeps combining ones with theirs.
std::string FitToWidth(std::string_view text, std::size_t columns);

// On one line: line ends and tabs become spaces, runs of spaces one.
std::string OneLine(std::string_view text);

}  // namespace aim::cli
