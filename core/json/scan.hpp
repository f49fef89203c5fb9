#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace aim::json {

struct Limits {
    std::size_t max_depth = 64;  // arrays and objects inside one another
    bool refuse_duplicate_keys =
        true;  // in the root object; deeper ones: the first is found by Value::Get
};

// One member of the root object, as places in the text that was scanned; the views point into that
// text.
struct Member {
    std::string_view raw_key;  // between the quotes, escapes as they stand
    bool key_has_escapes = false;
    std::size_t begin = 0;   // offset of the key's opening quote
    std::size_t end = 0;     // one past the value
    std::string_view value;  // the value's text, without white space around

    // The key with its escapes resolved: "mod\u0065l" is "model".
    std::string Key() const;
    bool KeyIs(std::string_view name) const;
};

// Checks the text by the rules of Parse() without building anything, and returns the members of the
// object, in one pass. Fails with "invalid_json" like Parse(), or when the value is not an object.
// With it a caller can drop or replace members of a request and leave every other byte as it came
// (see CopyWithout).
Result<std::vector<Member>> TopLevelMembers(std::string_view object, const Limits& limits = {});

// True when the text is exactly one valid JSON value (white space around it allowed), by the rules
// of Parse().
bool IsValidValue(std::string_view text, const Limits& limits = {});

// Appends the object to `out` without the members for which `drop(member)` is true and without its
// closing brace, and returns whether anything was kept (so a caller that appends members of its own
// knows if a comma is needed).
template <typename Drop>
bool CopyWithout(std::string_view object, const std::vector<Member>& members, Drop drop,
                 std::string& out) {
    out.push_back('{');
    bool kept = false;
    for (const Member& member : members) {
        if (drop(member)) continue;
        if (kept) out.push_back(',');
        out.append(object.substr(member.begin, member.end - member.begin));
        kept = true;
    }
    return kept;
}

}  // namespace aim::json
