#include "plugins/mock/answer.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "aim/sdk/json.hpp"
#include "plugins/mock/words.hpp"

namespace aim::mock {
namespace {

constexpr std::size_t kExcerptBytes = 60;

// Words with the white space in front of them; white space at the end stays with the last word.
std::vector<std::string> Tokenize(std::string_view text) {
    std::vector<std::string> tokens;
    std::size_t at = 0;
    while (at < text.size()) {
        std::size_t end = at;
        while (end < text.size() && IsSpace(text[end])) {
            ++end;
        }
        if (end == text.size() && !tokens.empty()) {
            tokens.back() += text.substr(at);
            break;
        }
        while (end < text.size() && !IsSpace(text[end])) {
            ++end;
        }
        tokens.emplace_back(text.substr(at, end - at));
        at = end;
    }
    return tokens;
}

// The beginning of a text in one line, not cut inside a character.
std::string Excerpt(std::string_view text) {
    std::string line;
    for (const std::string& token : Tokenize(text.substr(0, kExcerptBytes + 4))) {
        const std::size_t word = token.find_first_not_of(" \n\t\r");
        if (word == std::string::npos) {
            continue;
        }
        line += line.empty() ? "" : " ";
        line += token.substr(word, token.find_last_not_of(" \n\t\r") - word + 1);
    }
    const bool cut = text.size() > kExcerptBytes;
    if (cut) {
        std::size_t end = std::min(line.size(), kExcerptBytes);
        while (end > 0 && end < line.size() &&
               (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) {
            --end;
        }
        line.resize(end);
        line += "…";
    }
    return line;
}

std::string DefaultText(const sdk::ChatRequest& request) {
    std::string_view last;
    for (std::uint32_t i = 0; i < request.MessageCount(); ++i) {
        const sdk::ChatMessage message = request.Message(i);
        if (message.role == sdk::Role::kUser && !message.text.empty()) {
            last = message.text;
        }
    }
    std::string text = "This is " + std::string(request.Model()) +
                       ", a mock model that answers without any provider.";
    const std::string excerpt = Excerpt(last);
    if (!excerpt.empty()) {
        text += " You wrote: \"" + excerpt + "\".";
    }
    return text;
}

void Resize(std::vector<std::string>& tokens, std::uint64_t wanted) {
    if (tokens.empty()) {
        tokens.emplace_back("mock");
    }
    const std::size_t period = tokens.size();
    while (tokens.size() < wanted) {
        std::string next = tokens[tokens.size() % period];
        if (!IsSpace(next.front()) && !IsSpace(tokens.back().back())) {
            next.insert(next.begin(), ' ');
        }
        tokens.push_back(std::move(next));
    }
    tokens.resize(static_cast<std::size_t>(wanted));
}

std::string Join(const std::vector<std::string>& tokens) {
    std::string text;
    for (const std::string& token : tokens) {
        text += token;
    }
    return text;
}

// The tool that the request insists on, or empty.
std::string RequiredTool(sdk::JsonValue body) {
    const sdk::JsonValue choice = body["tool_choice"];
    if (choice.IsObject()) {
        return std::string(choice["function"]["name"].Text());
    }
    if (choice.Text() == "required") {
        for (const sdk::JsonValue tool : body["tools"]) {
            return std::string(tool["function"]["name"].Text());
        }
    }
    return {};
}

bool WantsJson(sdk::JsonValue body) {
    const std::string_view type = body["response_format"]["type"].Text();
    return type == "json_object" || type == "json_schema";
}

}  // namespace

Answer MakeAnswer(const Settings& settings, const sdk::ChatRequest& request) {
    Answer answer;
    for (std::uint32_t i = 0; i < request.MessageCount(); ++i) {
        answer.prompt_tokens += CountWords(request.Message(i).text);
    }
    bool wants_json = false;
    const std::string_view json = request.Json();
    if (request.Has(AIM_CHAT_HAS_TOOLS) || json.find("response_format") != json.npos) {
        sdk::JsonDocument document;
        if (document.Parse(json)) {
            answer.tool_name = RequiredTool(document.Root());
            wants_json = WantsJson(document.Root());
        }
    }
    if (!answer.tool_name.empty()) {
        answer.finish = sdk::FinishReason::kToolCalls;
        return answer;
    }

    answer.tokens = Tokenize(settings.answer_text ? *settings.answer_text : DefaultText(request));
    if (settings.answer_tokens) {
        Resize(answer.tokens, *settings.answer_tokens);
    }
    if (wants_json && !settings.answer_text) {
        std::string object = "{\"answer\":";
        sdk::AppendJsonString(object, Join(answer.tokens));
        object += "}";
        answer.tokens = Tokenize(object);
    }
    const std::optional<std::int64_t> limit = request.MaxTokens();
    if (limit && answer.tokens.size() > static_cast<std::uint64_t>(*limit)) {
        answer.tokens.resize(static_cast<std::size_t>(*limit));
        answer.finish = sdk::FinishReason::kLength;
    }
    return answer;
}

std::uint64_t HashPrompt(const sdk::ChatRequest& request) {
    std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a
    const auto add = [&hash](unsigned char byte) { hash = (hash ^ byte) * 1099511628211ULL; };
    for (std::uint32_t i = 0; i < request.MessageCount(); ++i) {
        const sdk::ChatMessage message = request.Message(i);
        add(static_cast<unsigned char>(message.role));
        for (const char c : message.text) {
            add(static_cast<unsigned char>(c));
        }
        add(0);
    }
    return hash;
}

}  // namespace aim::mock
