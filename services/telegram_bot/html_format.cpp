#include "services/telegram_bot/html_format.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

#include "services/telegram_bot/message_splitter.hpp"

namespace aim::telegram_bot {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r'; }

void AppendEscaped(std::string_view text, std::string& out) {
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out.push_back(c);
        }
    }
}

// The language of a fence's line, when it is fit for a class name.
std::string_view Language(std::string_view fence) {
    const std::size_t start = fence.find_first_not_of(" `~");
    if (start == std::string_view::npos) return {};
    std::string_view word = fence.substr(start);
    word = word.substr(0, word.find_first_of(" \t\r{"));
    const bool fit = std::all_of(word.begin(), word.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '-' ||
               c == '#' || c == '_' || c == '.';
    });
    return fit && word.size() <= 32 ? word : std::string_view();
}

class Converter {
  public:
    explicit Converter(std::string& out) : out_(out) {}

    // The text between two line ends.
    void Line(std::string_view line) {
        std::size_t hashes = line.find_first_not_of('#');
        if (hashes == std::string_view::npos) hashes = 0;
        const bool heading = hashes >= 1 && hashes <= 6 && IsSpace(line[hashes]) &&
                             line.find_first_not_of(" \t\r", hashes) != std::string_view::npos &&
                             Spend();
        if (!heading) {
            Inline(line, 0);
            return;
        }
        line.remove_prefix(line.find_first_not_of(" \t", hashes));
        out_ += "<b>";
        std::string plain;
        // Stars inside a heading would be bold in bold.
        for (const char c : line) {
            if (c != '*') plain.push_back(c);
        }
        AppendEscaped(plain, out_);
        out_ += "</b>";
    }

    void CodeBlock(std::string_view fence, std::string_view code) {
        if (code.empty()) return;
        if (!Spend()) {
            AppendEscaped(code, out_);
            return;
        }
        const std::string_view language = Language(fence);
        out_ += "<pre>";
        if (!language.empty())
            out_.append("<code class=\"language-").append(language).append("\">");
        AppendEscaped(code, out_);
        if (!language.empty()) out_ += "</code>";
        out_ += "</pre>";
    }

  private:
    static constexpr int kDeepest = 4;

    bool Spend() { return ++entities_ <= kMostEntities; }

    void Inline(std::string_view text, int depth) {
        while (!text.empty()) {
            const std::size_t plain = std::min(text.find_first_of("`*~["), text.size());
            AppendEscaped(text.substr(0, plain), out_);
            text.remove_prefix(plain);
            if (text.empty()) return;
            std::size_t used = depth < kDeepest ? Entity(text, depth) : 0;
            if (used == 0) {
                // A run of the same sign is one thing: the half of a "**" means nothing.
                used = std::min(text.find_first_not_of(text.front()), text.size());
                AppendEscaped(text.substr(0, used), out_);
            }
            text.remove_prefix(used);
        }
    }

    // Bytes of the entity at the front, or 0.
    std::size_t Entity(std::string_view text, int depth) {
        switch (text.front()) {
            case '`':
                return Code(text);
            case '*':
                return text.starts_with("***")  ? 0
                       : text.starts_with("**") ? Pair(text, "**", "b", depth)
                                                : Pair(text, "*", "i", depth);
            case '~':
                return text.starts_with("~~") ? Pair(text, "~~", "s", depth) : 0;
            default:
                return Link(text);
        }
    }

    std::size_t Code(std::string_view text) {
        const std::size_t ticks = std::min(text.find_first_not_of('`'), text.size());
        const std::string_view fence = text.substr(0, ticks);
        std::size_t end = ticks;
        for (;;) {
            end = text.find(fence, end);
            if (end == std::string_view::npos || end == ticks) return 0;
            const std::size_t after = std::min(text.find_first_not_of('`', end), text.size());
            if (after - end == ticks) break;
            end = after;
        }
        if (!Spend()) return 0;
        out_ += "<code>";
        AppendEscaped(text.substr(ticks, end - ticks), out_);
        out_ += "</code>";
        return end + ticks;
    }

    std::size_t Pair(std::string_view text, std::string_view sign, const char* tag, int depth) {
        const std::size_t start = sign.size();
        if (start >= text.size() || IsSpace(text[start]) || text[start] == sign.front()) return 0;
        std::size_t end = start;
        for (;;) {
            end = text.find(sign, end);
            if (end == std::string_view::npos) return 0;
            const std::size_t run =
                std::min(text.find_first_not_of(sign.front(), end), text.size());
            if (run - end == sign.size() && !IsSpace(text[end - 1])) break;
            end = run;
        }
        if (!Spend()) return 0;
        out_.append("<").append(tag).append(">");
        Inline(text.substr(start, end - start), depth + 1);
        out_.append("</").append(tag).append(">");
        return end + sign.size();
    }

    std::size_t Link(std::string_view text) {
        const std::size_t close = text.find("](");
        if (close == std::string_view::npos || close == 1) return 0;
        const std::string_view title = text.substr(1, close - 1);
        if (title.find('[') != std::string_view::npos) return 0;
        const std::size_t end = text.find(')', close);
        if (end == std::string_view::npos) return 0;
        const std::string_view address = text.substr(close + 2, end - close - 2);
        if (!address.starts_with("http://") && !address.starts_with("https://")) return 0;
        if (address.find_first_of(" \t\"<>") != std::string_view::npos || !Spend()) return 0;
        out_ += "<a href=\"";
        AppendEscaped(address, out_);
        out_ += "\">";
        AppendEscaped(title, out_);
        out_ += "</a>";
        return end + 1;
    }

    std::string& out_;
    int entities_ = 0;
};

std::string_view TakeLine(std::string_view& text) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

bool ClosesBlock(std::string_view line) {
    return IsFenceLine(line) && line.find_first_not_of(" `~\t\r") == std::string_view::npos;
}

// The code after a fence's line, up to the line that closes it or the end; both are taken.
std::string TakeCode(std::string_view& text) {
    std::string code;
    while (!text.empty()) {
        const std::string_view line = TakeLine(text);
        if (ClosesBlock(line)) break;
        code.append(line).push_back('\n');
    }
    while (code.ends_with('\n')) code.pop_back();
    return code;
}

}  // namespace

std::string EscapeHtml(std::string_view text) {
    std::string out;
    AppendEscaped(text, out);
    return out;
}

std::string MarkdownToHtml(std::string_view markdown) {
    std::string out;
    out.reserve(markdown.size() + markdown.size() / 8);
    Converter converter(out);
    bool first = true;
    while (!markdown.empty()) {
        if (!first) out.push_back('\n');
        first = false;
        const std::string_view line = TakeLine(markdown);
        if (IsFenceLine(line)) {
            converter.CodeBlock(line, TakeCode(markdown));
        } else {
            converter.Line(line);
        }
    }
    return out;
}

}  // namespace aim::telegram_bot
