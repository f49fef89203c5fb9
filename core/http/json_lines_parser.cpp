#include "core/http/json_lines_parser.hpp"

namespace aim::http {
namespace {

bool IsBlank(std::string_view line) {
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

std::optional<std::string_view> JsonLinesParser::Next() {
    while (const auto line = lines_.Next()) {
        if (!IsBlank(*line)) return line;
    }
    if (!finished_ || last_taken_ || failed()) return std::nullopt;
    last_taken_ = true;
    std::string_view rest = lines_.rest();
    if (!rest.empty() && rest.back() == '\r') rest.remove_suffix(1);
    if (IsBlank(rest)) return std::nullopt;
    return rest;
}

}  // namespace aim::http
