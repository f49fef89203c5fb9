#include "core/json/json.hpp"

#include <algorithm>
#include <cstring>

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include "core/json/scanner.hpp"

namespace aim::json {
namespace {

using Allocator = rapidjson::MemoryPoolAllocator<>;

constexpr std::size_t kPoolBytes = 2048;  // enough for a usual prompt without a further allocation
constexpr std::size_t kLeastChunk = 8 * 1024;

// Depth is limited by the scan before. Full precision: 0.7 must come out as 0.7.
constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseFullPrecisionFlag;

}  // namespace

struct Document::Tree {
    explicit Tree(std::size_t text_size)
        : text(new char[text_size + 1]),
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
    tree.document.ParseInsitu<kFlags>(tree.text.get());
    if (tree.document.HasParseError()) {
        // Grammar was checked above; what is left is a number that no double holds.
        return InvalidJson(rapidjson::GetParseError_En(tree.document.GetParseError()),
                           tree.document.GetErrorOffset());
    }
    return document;
}

}  // namespace aim::json
