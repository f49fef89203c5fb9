// JSON for plugins: text in, a flat tree out that keeps for every value where it stands in the
// text. So a field can be passed on exactly as it came (numbers keep their digits), and nothing is
// ever recursive: reading, visiting and destroying need no stack that grows with the nesting, which
// is capped while the tree is built. RapidJSON's reader does the lexing and the grammar, in place
// on a copy of the text, so that it can go through strings 16 bytes a step and copies nothing
// twice.
//
// A JsonDocument owns the tree and may be used again (its memory is kept). A JsonValue is a small
// view into it, valid until the document is parsed anew; the text must live as long. One thread at
// a time.
#ifndef AIM_SDK_JSON_HPP
#define AIM_SDK_JSON_HPP

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#if defined(__SSE2__) && !defined(RAPIDJSON_SSE2) && !defined(RAPIDJSON_RAPIDJSON_H_)
#define RAPIDJSON_SSE2
#elif defined(__ARM_NEON) && !defined(RAPIDJSON_NEON) && !defined(RAPIDJSON_RAPIDJSON_H_)
#define RAPIDJSON_NEON
#endif
#include <rapidjson/reader.h>

namespace aim::sdk {

inline constexpr std::size_t kMaxJsonDepth = 64;

enum class JsonType : std::uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

namespace detail {

struct JsonNode {
    std::uint32_t begin = 0;  // of the value in the text
    std::uint32_t end = 0;
    // Index behind the last node below this one; of the container around it while it is open.
    std::uint32_t next = 0;
    std::uint32_t text_begin = 0;  // decoded string, in the decoded copy
    std::uint32_t text_size = 0;
    std::uint32_t key_begin = 0;
    std::uint32_t key_size = 0;
    std::uint32_t member_begin = 0;  // of `"key"` in the text
    JsonType type = JsonType::kNull;
};

}  // namespace detail

class JsonDocument;

// One value. A value that is not there (a lookup that found nothing) is falsy and answers every
// question with "no": lookups can be chained without a check at each step.
class JsonValue final {
  public:
    JsonValue() = default;
    JsonValue(const JsonDocument* document, std::uint32_t index)
        : document_(document), index_(index) {}

    explicit operator bool() const { return document_ != nullptr; }
    inline JsonType Type() const;  // kNull when not there
    bool IsObject() const { return Type() == JsonType::kObject; }
    bool IsArray() const { return Type() == JsonType::kArray; }
    bool IsString() const { return Type() == JsonType::kString; }
    bool IsNumber() const { return Type() == JsonType::kNumber; }
    bool IsNull() const { return Type() == JsonType::kNull; }
    bool IsTrue() const { return Type() == JsonType::kTrue; }
    bool IsBool() const { return IsTrue() || Type() == JsonType::kFalse; }

    // The value as it stands in the text; a string with its quotes.
    inline std::string_view Raw() const;
    // A string's characters; empty for anything else.
    inline std::string_view Text() const;
    // A whole number (also 2.0 and 2e3); nullopt for anything else and out of range.
    inline std::optional<std::int64_t> Integer() const;
    inline std::optional<double> Number() const;

    // Of a member of an object: its name, and name and value together as they stand in the text.
    inline std::string_view Key() const;
    inline std::string_view RawMember() const;

    // The last member of that name, as most parsers choose.
    inline JsonValue operator[](std::string_view key) const;

    // Items of an array, members of an object: for (JsonValue item : value).
    class Iterator final {
      public:
        Iterator(const JsonDocument* document, std::uint32_t index)
            : document_(document), index_(index) {}
        JsonValue operator*() const { return {document_, index_}; }
        inline Iterator& operator++();
        bool operator!=(const Iterator& other) const { return index_ != other.index_; }

      private:
        const JsonDocument* document_;
        std::uint32_t index_;
    };
    inline Iterator begin() const;
    inline Iterator end() const;
    bool Empty() const { return !(begin() != end()); }

  private:
    inline const detail::JsonNode& Node() const;

    const JsonDocument* document_ = nullptr;
    std::uint32_t index_ = 0;
};

class JsonDocument final {
  public:
    // True when `text` is one JSON value nested at most `max_depth` levels, with nothing behind it
    // but white space. After false there is no root.
    bool Parse(std::string_view text, std::size_t max_depth = kMaxJsonDepth) {
        nodes_.clear();
        text_ = text;
        valid_ = false;
        if (text.size() >= std::numeric_limits<std::uint32_t>::max() - kReadAhead ||
            HasLateControl(text)) {
            return false;
        }
        if (nodes_.capacity() == 0) {
            nodes_.reserve(std::min(text.size() / kBytesANode + 2, kMostNodesAtOnce));
        }
        decoded_.reserve(text.size() + kReadAhead);
        decoded_.assign(text);
        rapidjson::InsituStringStream stream(decoded_.data());
        Builder builder(*this, stream, max_depth);
        constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseInsituFlag |
                                    rapidjson::kParseNumbersAsStringsFlag;
        const rapidjson::ParseResult result = reader_.Parse<kFlags>(stream, builder);
        // A NUL within the text looks like its end to the reader.
        valid_ = !result.IsError() && stream.Tell() == text.size();
        return valid_;
    }

    // Not there unless the last Parse returned true.
    JsonValue Root() const { return valid_ ? JsonValue(this, 0) : JsonValue(); }

  private:
    friend class JsonValue;

    // The reader may read (never write) so many bytes from the copy's NUL on.
    static constexpr std::size_t kReadAhead = 16;
    // Of an answer with its usage, and of a stream's chunk; what is text needs less.
    static constexpr std::size_t kBytesANode = 16;
    static constexpr std::size_t kMostNodesAtOnce = 256;

    // JSON has no such byte anywhere, but RapidJSON 1.1 going through strings 16 bytes a step takes
    // the control characters from 0x1a on.
    static bool HasLateControl(std::string_view text) {
        bool found = false;
        for (const char c : text) {
            found |= static_cast<unsigned char>(c - 0x1a) < 0x20 - 0x1a;
        }
        return found;
    }

    class Builder final : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Builder> {
      public:
        Builder(JsonDocument& document, rapidjson::InsituStringStream& stream,
                std::size_t max_depth)
            : document_(document), stream_(stream), max_depth_(max_depth) {}

        bool Null() { return Scalar(JsonType::kNull); }
        bool Bool(bool value) { return Scalar(value ? JsonType::kTrue : JsonType::kFalse); }
        // While the reader is within a string or number, the stream does not show how far it is.
        bool RawNumber(const char*, rapidjson::SizeType size, bool) {
            detail::JsonNode& node = Add(JsonType::kNumber);
            node.end = node.begin + size;
            token_end_ = node.end;
            return true;
        }
        bool String(const char* decoded, rapidjson::SizeType size, bool) {
            detail::JsonNode& node = Add(JsonType::kString);
            node.end = EndOfString(node.begin, size);
            node.text_begin = Offset(decoded);
            node.text_size = size;
            token_end_ = node.end;
            return true;
        }
        bool Key(const char* decoded, rapidjson::SizeType size, bool) {
            key_.member_begin = TokenBegin();
            key_.key_begin = Offset(decoded);
            key_.key_size = size;
            token_end_ = EndOfString(key_.member_begin, size);
            return true;
        }
        bool StartObject() { return Open(JsonType::kObject); }
        bool EndObject(rapidjson::SizeType) { return Close(); }
        bool StartArray() { return Open(JsonType::kArray); }
        bool EndArray(rapidjson::SizeType) { return Close(); }

      private:
        std::uint32_t Position() const { return static_cast<std::uint32_t>(stream_.Tell()); }
        // Behind the closing quote of the valid string at `begin` that decodes to `size` bytes.
        std::uint32_t EndOfString(std::uint32_t begin, std::uint32_t size) const {
            const std::string_view text = document_.text_;
            std::size_t at = begin + 1;
            // What an escape stands for is never longer than the escape.
            if (text.substr(at, size).find('\\') == text.npos) {
                return static_cast<std::uint32_t>(at + size + 1);
            }
            while (text[at] != '"') {
                at += text[at] == '\\' ? 2 : 1;
            }
            return static_cast<std::uint32_t>(at + 1);
        }
        std::uint32_t Offset(const char* decoded) const {
            return static_cast<std::uint32_t>(decoded - document_.decoded_.data());
        }

        // Between two tokens stand white space, ':' and ',' only.
        std::uint32_t TokenBegin() const {
            std::uint32_t at = token_end_;
            const std::string_view text = document_.text_;
            while (at < text.size() && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' ||
                                        text[at] == '\t' || text[at] == ':' || text[at] == ',')) {
                ++at;
            }
            return at;
        }
        detail::JsonNode& Add(JsonType type) {
            detail::JsonNode node = key_;
            key_ = detail::JsonNode();
            node.type = type;
            node.begin = TokenBegin();
            node.next = static_cast<std::uint32_t>(document_.nodes_.size()) + 1;
            document_.nodes_.push_back(node);
            return document_.nodes_.back();
        }
        bool Scalar(JsonType type) {
            detail::JsonNode& node = Add(type);
            node.end = Position();
            token_end_ = node.end;
            return true;
        }
        // The iterative reader calls Start… and End… with the bracket still ahead.
        bool Open(JsonType type) {
            if (depth_ >= max_depth_) {
                return false;
            }
            ++depth_;
            Add(type).next = open_;
            open_ = static_cast<std::uint32_t>(document_.nodes_.size()) - 1;
            token_end_ = Position() + 1;
            return true;
        }
        bool Close() {
            detail::JsonNode& node = document_.nodes_[open_];
            --depth_;
            open_ = node.next;
            node.end = Position() + 1;
            node.next = static_cast<std::uint32_t>(document_.nodes_.size());
            token_end_ = node.end;
            return true;
        }
        JsonDocument& document_;
        rapidjson::InsituStringStream& stream_;
        std::size_t max_depth_;
        std::size_t depth_ = 0;
        std::uint32_t open_ = 0;  // the innermost container that is not closed
        std::uint32_t token_end_ = 0;
        detail::JsonNode key_;
    };

    std::string_view text_;
    std::vector<detail::JsonNode> nodes_;
    std::string decoded_;  // the text, its strings decoded where they stand
    rapidjson::Reader reader_;
    bool valid_ = false;
};

inline const detail::JsonNode& JsonValue::Node() const { return document_->nodes_[index_]; }

inline JsonType JsonValue::Type() const {
    return document_ == nullptr ? JsonType::kNull : Node().type;
}

inline std::string_view JsonValue::Raw() const {
    if (document_ == nullptr) {
        return {};
    }
    return document_->text_.substr(Node().begin, Node().end - Node().begin);
}

inline std::string_view JsonValue::Text() const {
    if (!IsString()) {
        return {};
    }
    return {document_->decoded_.data() + Node().text_begin, Node().text_size};
}

inline std::optional<double> JsonValue::Number() const {
    if (!IsNumber()) {
        return std::nullopt;
    }
    const std::string_view raw = Raw();
    double value = 0;
    const std::from_chars_result result =
        std::from_chars(raw.data(), raw.data() + raw.size(), value);
    if (result.ec != std::errc()) {
        return std::nullopt;
    }
    return value;
}

inline std::optional<std::int64_t> JsonValue::Integer() const {
    if (!IsNumber()) {
        return std::nullopt;
    }
    const std::string_view raw = Raw();
    std::int64_t value = 0;
    const std::from_chars_result result =
        std::from_chars(raw.data(), raw.data() + raw.size(), value);
    if (result.ec == std::errc() && result.ptr == raw.data() + raw.size()) {
        return value;
    }
    constexpr double kExact = 9007199254740992.0;  // 2^53
    const std::optional<double> real = Number();
    if (!real || *real > kExact || *real < -kExact) {
        return std::nullopt;
    }
    value = static_cast<std::int64_t>(*real);
    if (static_cast<double>(value) != *real) {
        return std::nullopt;
    }
    return value;
}

inline std::string_view JsonValue::Key() const {
    if (document_ == nullptr) {
        return {};
    }
    return {document_->decoded_.data() + Node().key_begin, Node().key_size};
}

inline std::string_view JsonValue::RawMember() const {
    if (document_ == nullptr) {
        return {};
    }
    return document_->text_.substr(Node().member_begin, Node().end - Node().member_begin);
}

inline JsonValue JsonValue::operator[](std::string_view key) const {
    if (!IsObject()) {
        return {};
    }
    const std::vector<detail::JsonNode>& nodes = document_->nodes_;
    const char* const names = document_->decoded_.data();
    std::uint32_t found = index_;
    for (std::uint32_t i = index_ + 1; i < nodes[index_].next; i = nodes[i].next) {
        const detail::JsonNode& member = nodes[i];
        if (member.key_size == key.size() &&
            std::string_view(names + member.key_begin, member.key_size) == key) {
            found = i;
        }
    }
    return found == index_ ? JsonValue() : JsonValue(document_, found);
}

inline JsonValue::Iterator& JsonValue::Iterator::operator++() {
    index_ = document_->nodes_[index_].next;
    return *this;
}

inline JsonValue::Iterator JsonValue::begin() const {
    return IsArray() || IsObject() ? Iterator(document_, index_ + 1) : Iterator(nullptr, 0);
}

inline JsonValue::Iterator JsonValue::end() const {
    return IsArray() || IsObject() ? Iterator(document_, Node().next) : Iterator(nullptr, 0);
}

// Appends `text` to `out` as a JSON string with its quotes.
inline void AppendJsonString(std::string& out, std::string_view text) {
    constexpr char kHex[] = "0123456789abcdef";
    out.push_back('"');
    std::size_t run = 0;  // from here on everything is copied as it is
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        out.append(text.data() + run, i - run);
        run = i + 1;
        out.push_back('\\');
        switch (c) {
            case '"':
            case '\\':
                out.push_back(c);
                break;
            case '\n':
                out.push_back('n');
                break;
            case '\r':
                out.push_back('r');
                break;
            case '\t':
                out.push_back('t');
                break;
            default:
                out += "u00";
                out.push_back(kHex[(c >> 4) & 0xf]);
                out.push_back(kHex[c & 0xf]);
        }
    }
    out.append(text.data() + run, text.size() - run);
    out.push_back('"');
}

}  // namespace aim::sdk

#endif  // AIM_SDK_JSON_HPP
