#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/json/scan.hpp"
#include "core/json/value.hpp"

namespace aim::json {

// A parsed JSON text: owns the tree (and its own copy of the text), gives views. Moved, not copied;
// a moved-from document has an absent root. Immutable, so that several threads may read.
class Document {
  public:
    Document();
    ~Document();
    Document(Document&&) noexcept;
    Document& operator=(Document&&) noexcept;

    // The whole value. Views live as long as this document (moving it keeps them valid).
    Value root() const;

    // The members of the root object in the order of the text, as byte ranges of the text that was
    // given to Parse (the ranges point into the caller's memory, which must live as long as they
    // are used). Empty when the root is not an object.
    std::span<const Member> members() const;

  private:
    friend Result<Document> Parse(std::string_view text, const Limits& limits);
    struct Tree;
    std::unique_ptr<Tree> tree_;
};

// Parses one JSON value and nothing after it, as contract.md's "JSON in" wants it: strict UTF-8, no
// NUL byte, no lone surrogate, no duplicate key in the root object, no nesting over the limit
// (checked before a tree is built). Fails with kInvalidRequest, code "invalid_json", and a message
// that ends in the byte offset.
Result<Document> Parse(std::string_view text, const Limits& limits = {});

}  // namespace aim::json
