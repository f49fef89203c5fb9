#include "core/json/scan.hpp"

#include <string>

#include <gtest/gtest.h>

#include "core/json/json.hpp"
#include "core/json/writer.hpp"

namespace aim::json {
namespace {

TEST(TopLevelMembers, GivesKeysAndPlaces) {
    const std::string text =
        R"( { "model" : "auto" ,"n":-1.5e3, "deep":{"model":[1,{"x":"}"}]} ,"empty":{},"list":[ ] , "last":null } )";
    const auto members = TopLevelMembers(text);
    ASSERT_TRUE(members.has_value());
    std::string seen;
    for (const Member& member : *members) {
        seen += member.Key() + "=" + std::string(member.value) + "|";
        EXPECT_EQ(text[member.begin], '"');
        EXPECT_EQ(text.substr(member.end - member.value.size(), member.value.size()), member.value);
    }
    EXPECT_EQ(seen,
              R"(model="auto"|n=-1.5e3|deep={"model":[1,{"x":"}"}]}|empty={}|list=[ ]|last=null|)");
}

TEST(TopLevelMembers, EmptyObjectAndOtherTypes) {
    ASSERT_TRUE(TopLevelMembers(" {} ").has_value());
    EXPECT_TRUE(TopLevelMembers("{ }")->empty());
    for (const char* text : {"[]", "1", "\"{}\"", "null", " [ {\"a\":1} ] "}) {
        const auto members = TopLevelMembers(text);
        ASSERT_FALSE(members.has_value()) << text;
        EXPECT_EQ(members.error().code, "invalid_json");
    }
    EXPECT_FALSE(TopLevelMembers("{\"a\":1").has_value());
}

TEST(TopLevelMembers, KeysWithEscapesAreComparedByMeaning) {
    const auto members = TopLevelMembers(R"({"mod\u0065l":1,"\u00e9\ud83d\ude00\u20AC\/\n":2})");
    ASSERT_TRUE(members.has_value());
    EXPECT_TRUE((*members)[0].KeyIs("model"));
    EXPECT_EQ((*members)[0].raw_key, "mod\\u0065l");
    EXPECT_FALSE((*members)[0].KeyIs("mod\\u0065l"));
    EXPECT_EQ((*members)[1].Key(), "\xC3\xA9\xF0\x9F\x98\x80\xE2\x82\xAC/\n");
}

TEST(TopLevelMembers, TheSameAsThoseOfAParsedDocument) {
    const std::string text = R"({"a":1,"b":[{}],"c":"x"})";
    const Result<Document> document = Parse(text);
    const auto members = TopLevelMembers(text);
    ASSERT_TRUE(document.has_value() && members.has_value());
    ASSERT_EQ(document->members().size(), members->size());
    for (std::size_t i = 0; i < members->size(); ++i) {
        EXPECT_EQ(document->members()[i].value, (*members)[i].value);
        EXPECT_EQ(document->members()[i].begin, (*members)[i].begin);
    }
}

TEST(CopyWithout, DropsMembersAndKeepsEveryOtherByte) {
    const std::string text =
        "{\"user_id\":\"u\",  \"messages\":[ {\"role\" : \"user\"} "
        "],\"fallback\":false,\"x\":1.50}";
    const auto members = TopLevelMembers(text);
    ASSERT_TRUE(members.has_value());
    const auto drop = [](const Member& member) {
        return member.KeyIs("user_id") || member.KeyIs("fallback");
    };
    std::string out;
    EXPECT_TRUE(CopyWithout(text, *members, drop, out));
    EXPECT_EQ(out + "}", "{\"messages\":[ {\"role\" : \"user\"} ],\"x\":1.50}");
    EXPECT_TRUE(IsValidValue(out + "}"));
    out.clear();
    EXPECT_FALSE(CopyWithout(
        text, *members, [](const Member&) { return true; }, out));
    EXPECT_EQ(out, "{");
}

TEST(IsValidValue, AcceptsAnyOneValue) {
    for (const char* text :
         {"1", " \"x\" ", "null", "[]", "{\"a\":[1,2,{\"b\":-0.0e-1}]}", "1e999"})
        EXPECT_TRUE(IsValidValue(text)) << text;
    for (const char* text : {"", "1 2", "{", "tru", "[1,]"})
        EXPECT_FALSE(IsValidValue(text)) << text;
}

}  // namespace
}  // namespace aim::json
