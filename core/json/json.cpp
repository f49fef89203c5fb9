#include "core/json/json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include <locale.h>  // NOLINT(modernize-deprecated-headers): strtod_l is not in <clocale>
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers)

#include "core/json/rapidjson.hpp"
#include "core/json/scanner.hpp"

namespace aim::json {
namespace {

using Allocator = rapidjson::MemoryPoolAllocator<>;

constexpr std::size_t kPoolBytes = 2048;  // enough for a usual prompt without a further allocation
constexpr std::size_t kLeastChunk = 8 * 1024;
constexpr std::size_t kReadAhead = 16;  // the NUL, and what the parser may read behind it

// Depth is limited by the scan before.
constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseNumbersAsStringsFlag;

// The nearest double; nullopt when the number is larger than every double. Underflow gives zero.
std::optional<double> NearestDouble(const char* begin, const char* end) {
    double number = 0;
    const auto [stop, error] = std::from_chars(begin, end, number);
    if (error == std::errc() && stop == end) return number;
    // Out of range, which of the two ends from_chars does not say. What follows a number in a
    // text never continues it, so it needs no terminator.
    static const locale_t kPlain = newlocale(LC_ALL_MASK, "C", nullptr);
    number = strtod_l(begin, nullptr, kPlain);
    if (!std::isfinite(number)) return std::nullopt;
    return number;
}

// Passes the parser's events on to the tree, and converts the numbers: the parser's own exact
// conversion is undefined for a zero with a large exponent ("0e52"), its fast one is not exact.
class TreeBuilder {
  public:
    using Ch = char;

    explicit TreeBuilder(rapidjson::Document& tree) : tree_(tree) {}

    bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
        const char* end = text + size;
        if (std::int64_t number = 0; IsWhole(text, end, number)) return tree_.Int64(number);
        if (std::uint64_t number = 0; IsWhole(text, end, number)) return tree_.Uint64(number);
        const std::optional<double> number = NearestDouble(text, end);
        return number && tree_.Double(*number);
    }

    bool Null() { return tree_.Null(); }
    bool Bool(bool value) { return tree_.Bool(value); }
    bool String(const char* text, rapidjson::SizeType size, bool copy) {
        return tree_.String(text, size, copy);
    }
    bool Key(const char* text, rapidjson::SizeType size, bool copy) {
        return tree_.Key(text, size, copy);
    }
    bool StartObject() { return tree_.StartObject(); }
    bool EndObject(rapidjson::SizeType count) { return tree_.EndObject(count); }
    bool StartArray() { return tree_.StartArray(); }
    bool EndArray(rapidjson::SizeType count) { return tree_.EndArray(count); }

    // Numbers come as text, so the parser never calls these; it wants them to exist.
    bool Int(int number) { return tree_.Int(number); }
    bool Uint(unsigned number) { return tree_.Uint(number); }
    bool Int64(std::int64_t number) { return tree_.Int64(number); }
    bool Uint64(std::uint64_t number) { return tree_.Uint64(number); }
    bool Double(double number) { return tree_.Double(number); }

  private:
    template <typename Integer>
    static bool IsWhole(const char* begin, const char* end, Integer& number) {
        const auto [stop, error] = std::from_chars(begin, end, number);
        return error == std::errc() && stop == end;
    }

    rapidjson::Document& tree_;
};

}  // namespace

struct Document::Tree {
    explicit Tree(std::size_t text_size)
        : text(new char[text_size + kReadAhead]),
          allocator(pool, sizeof pool, std::max(kLeastChunk, text_size / 2)),
          document(&allocator) {}

    std::unique_ptr<char[]> text;  // the parser decodes strings in place; values point into it
    std::vector<Member> members;
    alignas(std::max_align_t) char pool[kPoolBytes];
    Allocator allocator;
    rapidjson::Document document;
};

Document::Document() = default;
Document::~Document() = default;
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;

Value Document::root() const {
    if (tree_ == nullptr) return {};
    const rapidjson::Value* root = &tree_->document;
    return Value(root);
}

std::span<const Member> Document::members() const {
    return tree_ == nullptr ? std::span<const Member>() : std::span<const Member>(tree_->members);
}

Result<Document> Parse(std::string_view text, const Limits& limits) {
    Document document;
    document.tree_ = std::make_unique<Document::Tree>(text.size());
    Document::Tree& tree = *document.tree_;
    tree.members.reserve(16);
    Scanner scanner(text, limits);
    if (!scanner.Scan(&tree.members)) return scanner.Failure();

    std::memcpy(tree.text.get(), text.data(), text.size());
    tree.text[text.size()] = '\0';
    rapidjson::Reader reader;
    rapidjson::ParseResult result;
    auto build = [&](rapidjson::Document& root) {
        rapidjson::InsituStringStream stream(tree.text.get());
        TreeBuilder builder(root);
        result = reader.Parse<kFlags>(stream, builder);
        return !result.IsError();
    };
    tree.document.Populate(build);
    if (result.IsError()) {
        // Grammar was checked above; what is left is a number that no double holds.
        const bool too_big = result.Code() == rapidjson::kParseErrorTermination;
        return InvalidJson(
            too_big ? "number too big to be stored" : rapidjson::GetParseError_En(result.Code()),
            result.Offset());
    }
    return document;
}

}  // namespace aim::json
