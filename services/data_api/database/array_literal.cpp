#include "services/data_api/database/array_literal.hpp"

#include <utility>

namespace aim::data_api::database {

void ArrayLiteral::Separate() {
    if (text_.size() > 1) text_.push_back(',');
}

void ArrayLiteral::AddText(std::string_view text) {
    Separate();
    text_.push_back('"');
    for (const char c : text) {
        if (c == '"' || c == '\\') text_.push_back('\\');
        text_.push_back(c);
    }
    text_.push_back('"');
}

void ArrayLiteral::AddNumber(std::int64_t value) {
    Separate();
    text_.append(std::to_string(value));
}

void ArrayLiteral::AddBool(bool value) {
    Separate();
    text_.push_back(value ? 't' : 'f');
}

void ArrayLiteral::AddNull() {
    Separate();
    text_.append("NULL");
}

std::string ArrayLiteral::Take() {
    std::string finished = std::exchange(text_, "{");
    finished.push_back('}');
    return finished;
}

std::vector<std::string> ParseTextArray(std::string_view literal) {
    std::vector<std::string> elements;
    if (literal.size() < 2 || literal.front() != '{') return elements;
    std::string element;
    bool quoted = false;
    bool inside = false;
    for (std::size_t i = 1; i < literal.size(); ++i) {
        const char c = literal[i];
        if (inside && c == '\\' && i + 1 < literal.size()) {
            element.push_back(literal[++i]);
        } else if (c == '"') {
            inside = !inside;
            quoted = true;
        } else if (!inside && (c == ',' || c == '}')) {
            if (quoted || (!element.empty() && element != "NULL"))
                elements.push_back(std::move(element));
            element.clear();
            quoted = false;
        } else {
            element.push_back(c);
        }
    }
    return elements;
}

}  // namespace aim::data_api::database
