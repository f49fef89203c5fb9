// Any bytes: no crash, the parts of core/json agree with each other, and so does the plugins' JSON:
// what a plugin takes and passes on as it came is nothing that the host counts against it.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "aim/sdk/json.hpp"
#include "aim/sdk/text.hpp"
#include "core/base/utf8.hpp"
#include "core/json/json.hpp"
#include "core/json/writer.hpp"

namespace {

void Require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace aim;
    const std::string_view text(reinterpret_cast<const char*>(data), size);

    const Result<json::Document> document = json::Parse(text);
    const bool valid = json::IsValidValue(text);
    if (document) {
        Require(valid && IsValidUtf8(text));
        // What is written is valid, and writing it again changes nothing.
        const std::string written = document->root().ToJson();
        const Result<json::Document> again = json::Parse(written);
        Require(again.has_value() && again->root().ToJson() == written);
        Require(!document->root().IsObject() ||
                document->members().size() == document->root().size());
    }
    const Result<std::vector<json::Member>> members = json::TopLevelMembers(text);
    if (members) {
        std::string copy;
        json::CopyWithout(
            text, *members, [](const json::Member& member) { return member.KeyIs("model"); }, copy);
        Require(json::IsValidValue(copy + "}"));
        // In an array, for only a root object's keys must differ.
        for (const json::Member& member : *members)
            Require(json::IsValidValue("[" + std::string(member.value) + "]"));
    }

    sdk::JsonDocument plugins;
    if (plugins.Parse(text) && sdk::IsPassableJson(text))
        Require(json::IsValidValue(text, {.refuse_duplicate_keys = false}));

    std::string quoted;
    json::AppendQuoted(text, quoted);
    Require(json::IsValidValue(quoted));

    std::string whole;
    SanitizeUtf8(text, whole);
    Require(IsValidUtf8(whole));
    Utf8Sanitizer sanitizer;
    std::string pieces;
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t piece = std::min<std::size_t>(1 + rest.size() % 3, rest.size());
        sanitizer.Feed(rest.substr(0, piece), pieces);
        rest.remove_prefix(piece);
    }
    sanitizer.Finish(pieces);
    Require(pieces == whole);
    return 0;
}
