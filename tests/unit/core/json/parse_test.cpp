#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/json/json.hpp"

namespace aim::json {
namespace {

Document Parsed(std::string_view text) {
    Result<Document> document = Parse(text);
    EXPECT_TRUE(document.has_value()) << (document ? "" : document.error().message);
    return document ? std::move(*document) : Document();
}

struct Refused {
    std::string text;
    std::string what;
    std::size_t offset;
};

TEST(Parse, RefusesWithTheByteOffset) {
    using std::string;
    const std::vector<Refused> cases = {
        {"", "unexpected end", 0},
        {"  ", "unexpected end", 2},
        {"{", "unexpected end", 1},
        {"{\"a\"", "unexpected end", 4},
        {"{\"a\":", "unexpected end", 5},
        {"{\"a\":1", "unexpected end", 6},
        {"{\"a\":1,", "unexpected end", 7},
        {"{\"a\":1,}", "expected a key in quotes", 7},
        {"{,}", "expected a key in quotes", 1},
        {"{a:1}", "expected a key in quotes", 1},
        {"{\"a\" 1}", "expected :", 5},
        {"{\"a\":1 \"b\":2}", "expected , or }", 7},
        {"{\"a\":1]", "expected , or }", 6},
        {"[1,]", "unexpected character", 3},
        {"[1 2]", "expected , or ]", 3},
        {"[1}", "expected , or ]", 2},
        {"[", "unexpected end", 1},
        {"]", "unexpected character", 0},
        {"nul", "unexpected character", 0},
        {"True", "unexpected character", 0},
        {"\"abc", "unexpected end inside a string", 4},
        {"\"ab\\", "unexpected end inside a string", 4},
        {"\"a\nb\"", "control character inside a string", 2},
        {"\"\\x\"", "unknown escape", 1},
        {"\"\\u12g4\"", "broken \\u escape", 1},
        {"\"\\u12", "broken \\u escape", 1},
        {"01", "unexpected bytes after the value", 1},
        {"-", "broken number", 1},
        {"1.", "broken number", 2},
        {".5", "unexpected character", 0},
        {"1e", "broken number", 2},
        {"1e+", "broken number", 3},
        {"+1", "unexpected character", 0},
        {"NaN", "unexpected character", 0},
        {"{} {}", "unexpected bytes after the value", 3},
        {"{}x", "unexpected bytes after the value", 2},
        {string("{}\0", 3), "unexpected bytes after the value", 2},
        {string("\0{}", 3), "NUL byte", 0},
        {string("{\"a\":\"x\0y\"}", 11), "NUL byte", 7},
        {string("{\"a\":\0}", 7), "NUL byte", 5},
        {"\"\\ud800\"", "lone surrogate", 1},
        {"\"\\udc00\"", "lone surrogate", 1},
        {"\"ab\\ud83d\\u0041\"", "lone surrogate", 3},
        {"\"\\ud83dx\"", "lone surrogate", 1},
        {"\"\xC3\"", "invalid UTF-8", 1},
        {"\"ok \xFF\"", "invalid UTF-8", 4},
        {"\"\xED\xA0\x80\"", "invalid UTF-8", 1},
        {"\"\xC0\x80\"", "invalid UTF-8", 1},
        {"\xEF\xBB\xBF{}", "unexpected character", 0},
        {"{\"a\":1,\"b\":2,\"a\":3}", "a key appears twice", 13},
        {"{\"a\":1,\"\\u0061\":2}", "a key appears twice", 7},
    };
    for (const Refused& refused : cases) {
        const Result<Document> document = Parse(refused.text);
        ASSERT_FALSE(document.has_value()) << refused.text;
        EXPECT_EQ(document.error().kind, ErrorKind::kInvalidRequest);
        EXPECT_EQ(document.error().code, "invalid_json");
        EXPECT_EQ(document.error().message, "JSON is not valid: " + refused.what + " at byte " +
                                                std::to_string(refused.offset))
            << refused.text;
        EXPECT_FALSE(IsValidValue(refused.text)) << refused.text;
    }
}

TEST(Parse, EveryCutOfAnObjectIsRefused) {
    const std::string text =
        R"({"a":[1,-2.5e+3,true,null,"x\u00e9\ud83d\ude00\n"],"b":{"c":{}},"д":"привет"})";
    EXPECT_TRUE(Parse(text).has_value());
    for (std::size_t size = 0; size < text.size(); ++size)
        EXPECT_FALSE(Parse(std::string_view(text).substr(0, size)).has_value()) << size;
}

TEST(Parse, NestingIsLimitedBeforeATreeIsBuilt) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    EXPECT_TRUE(Parse(nested(64)).has_value());
    const Result<Document> deep = Parse(nested(65));
    ASSERT_FALSE(deep.has_value());
    EXPECT_EQ(deep.error().message, "JSON is not valid: nesting is too deep at byte 64");
    EXPECT_FALSE(Parse(std::string(10000000, '['))
                     .has_value());  // would overflow a recursive parser's stack
    EXPECT_TRUE(Parse(nested(3), Limits{.max_depth = 3}).has_value());
    EXPECT_FALSE(Parse(nested(4), Limits{.max_depth = 3}).has_value());
    EXPECT_FALSE(Parse(nested(100000), Limits{.max_depth = 1000000}).has_value());
}

TEST(Parse, DuplicateKeysMatterInTheRootObjectOnly) {
    EXPECT_TRUE(Parse(R"({"a":{"x":1,"x":2},"b":[{"y":1,"y":2}]})").has_value());
    EXPECT_TRUE(Parse(R"({"a":1,"a":2})", Limits{.refuse_duplicate_keys = false}).has_value());
    std::string many = "{";
    for (int i = 0; i < 1000; ++i) many += "\"key" + std::to_string(i) + "\":0,";
    EXPECT_TRUE(Parse(many + "\"last\":0}").has_value());
    EXPECT_FALSE(Parse(many + "\"key500\":0}").has_value());
}

TEST(Parse, ReadsEveryType) {
    const Document document = Parsed(
        R"( {"s":"a\"\\\/\b\f\n\r\t\u0041\u0000\ud83d\ude00","i":-12,"big":9223372036854775807,
        "huge":18446744073709551615,"d":0.7,"whole":500.0,"e":1e3,"t":true,"f":false,"n":null,"a":[1,"two",[3]],"o":{"k":"v"}} )");
    const Value root = document.root();
    ASSERT_TRUE(root.IsObject());
    EXPECT_EQ(root.size(), 12u);
    EXPECT_EQ(root.Get("s").AsString(),
              std::string_view("a\"\\/\b\f\n\r\tA\0\xF0\x9F\x98\x80", 15));
    EXPECT_EQ(root.Get("i").AsInt64(), -12);
    EXPECT_EQ(root.Get("big").AsInt64(), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(root.Get("huge").AsInt64(), std::nullopt);
    EXPECT_EQ(root.Get("huge").AsDouble(), 18446744073709551615.0);
    EXPECT_EQ(root.Get("d").AsDouble(), 0.7);
    EXPECT_EQ(root.Get("d").AsInt64(), std::nullopt);
    EXPECT_EQ(root.Get("whole").AsInt64(), 500);
    EXPECT_EQ(root.Get("e").AsInt64(), 1000);
    EXPECT_EQ(root.Get("t").AsBool(), true);
    EXPECT_EQ(root.Get("f").AsBool(), false);
    EXPECT_TRUE(root.Get("n").IsNull());
    EXPECT_TRUE(root.Get("n").exists());
    EXPECT_EQ(root.Get("a").size(), 3u);
    EXPECT_EQ(root.Get("a").At(1).AsString(), "two");
    EXPECT_EQ(root.Get("a").At(2).At(0).AsInt64(), 3);
    EXPECT_EQ(root.Get("o").Get("k").AsString(), "v");
}

TEST(Parse, AnAbsentViewAnswersEverything) {
    const Document document = Parsed(R"({"a":1})");
    const Value absent = document.root().Get("x").Get("y").At(3);
    EXPECT_FALSE(absent.exists());
    EXPECT_FALSE(absent.IsNull());
    EXPECT_EQ(absent.AsString(), std::nullopt);
    EXPECT_EQ(absent.AsInt64(), std::nullopt);
    EXPECT_EQ(absent.Int64Or(5), 5);
    EXPECT_EQ(absent.StringOr("z"), "z");
    EXPECT_EQ(absent.size(), 0u);
    EXPECT_EQ(absent.begin(), absent.end());
    EXPECT_EQ(absent.ToJson(), "null");
    EXPECT_FALSE(Document().root().exists());
    EXPECT_TRUE(Document().members().empty());
    // Wrong types do not convert.
    EXPECT_EQ(document.root().Get("a").AsString(), std::nullopt);
    EXPECT_EQ(document.root().Get("a").AsBool(), std::nullopt);
    EXPECT_FALSE(document.root().At(1).exists());
}

TEST(Parse, NumbersAtTheEdges) {
    EXPECT_EQ(Parsed("9223372036854775808").root().AsInt64(), std::nullopt);
    EXPECT_EQ(Parsed("-9223372036854775808").root().AsInt64(),
              std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(Parsed("9223372036854775807.0").root().AsInt64(),
              std::nullopt);  // as a double it is 2^63
    EXPECT_EQ(Parsed("1e30").root().AsInt64(), std::nullopt);
    EXPECT_EQ(Parsed("-0").root().AsInt64(), 0);
    EXPECT_EQ(Parsed("1e-400").root().AsDouble(), 0.0);
    EXPECT_EQ(Parsed("0e52").root().AsDouble(), 0.0);
    EXPECT_EQ(Parsed("[-0.0e-3000]").root().At(0).AsDouble(), 0.0);
    EXPECT_EQ(Parsed("5e-324").root().AsDouble(), std::numeric_limits<double>::denorm_min());
    EXPECT_EQ(Parsed("1.7976931348623157e308").root().AsDouble(),
              std::numeric_limits<double>::max());
    // Halfway between two doubles and just above it.
    EXPECT_EQ(Parsed("9007199254740993").root().AsInt64(), 9007199254740993);
    EXPECT_EQ(Parsed("9007199254740993.0").root().AsDouble(), 9007199254740992.0);
    EXPECT_EQ(Parsed("9007199254740993.00000000000000000001").root().AsDouble(),
              9007199254740994.0);
    const Result<Document> huge = Parse("[1e999]");
    ASSERT_FALSE(huge.has_value());
    EXPECT_EQ(huge.error().code, "invalid_json");
    // A number that would fit in the end but is over the range on the way is refused as well, not
    // misread.
    EXPECT_FALSE(Parse(std::string(100000, '1') + "e-99999").has_value());
    EXPECT_EQ(Parsed("0." + std::string(100000, '3')).root().AsDouble(), 1.0 / 3.0);
}

TEST(Parse, IteratesInTheOrderOfTheText) {
    const Document document = Parsed(R"({"b":1,"a":[true,"x"],"c":null})");
    std::string seen;
    for (const auto& [key, value] : document.root())
        seen += std::string(key) + "=" + value.ToJson() + ";";
    EXPECT_EQ(seen, R"(b=1;a=[true,"x"];c=null;)");
    seen.clear();
    for (const auto& [key, value] : document.root().Get("a"))
        seen += std::string(key) + value.ToJson() + ";";
    EXPECT_EQ(seen, R"(true;"x";)");
}

TEST(Parse, WritesBackWhatItRead) {
    for (
        const char* text :
        {R"({"a":[1,-2,2.5,1e+300,18446744073709551615],"b":{},"c":[],"d":"\"\\\n\u0001é","e":[null,true,false]})",
         "0", "\"\"", "[[[]]]", "0.1"}) {
        EXPECT_EQ(Parsed(text).root().ToJson(), text);
    }
}

TEST(Parse, ViewsSurviveAMoveAndDoNotNeedTheCallersText) {
    auto text =
        std::make_unique<std::string>(R"({"key":"a text that is longer than any small buffer"})");
    Document first = Parsed(*text);
    const Value value = first.root().Get("key");
    text.reset();
    const Document second = std::move(first);
    EXPECT_EQ(value.AsString(), "a text that is longer than any small buffer");
    EXPECT_EQ(second.root().Get("key").AsString(), value.AsString());
}

TEST(Parse, BigDocuments) {
    std::string text = "[";
    for (int i = 0; i < 100000; ++i)
        text += (i == 0 ? "" : ",") + std::string(R"({"n":)") + std::to_string(i) + "}";
    text += "]";
    const Document document = Parsed(text);
    ASSERT_EQ(document.root().size(), 100000u);
    EXPECT_EQ(document.root().At(99999).Get("n").AsInt64(), 99999);
    EXPECT_EQ(document.root().ToJson(), text);
}

}  // namespace
}  // namespace aim::json
