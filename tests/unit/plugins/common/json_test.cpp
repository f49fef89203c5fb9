// The SDK's JSON (aim/sdk/json.hpp), which everything in plugins/ reads with.
#include "aim/sdk/json.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace aim::sdk {
namespace {

TEST(JsonDocument, KeepsWhereEveryValueStands) {
    JsonDocument document;
    const std::string text =
        " { \"a\" : [ 1.50 , -2e3, true,null ] , \"b\\n\":{\"c\":\"x\\u00e9\"}, \"e\":{},\"f\":[] "
        "} ";
    ASSERT_TRUE(document.Parse(text));
    const JsonValue root = document.Root();
    EXPECT_EQ(root.Raw(), std::string_view(text).substr(1, text.size() - 2));
    EXPECT_EQ(root["a"].Raw(), "[ 1.50 , -2e3, true,null ]");
    EXPECT_EQ(root["a"].RawMember(), "\"a\" : [ 1.50 , -2e3, true,null ]");
    EXPECT_EQ(root["b\n"]["c"].Raw(), "\"x\\u00e9\"");
    EXPECT_EQ(root["b\n"]["c"].Text(), "xé");
    EXPECT_EQ(root["b\n"].Key(), "b\n");
    EXPECT_TRUE(root["e"].IsObject());
    EXPECT_TRUE(root["e"].Empty());
    EXPECT_EQ(root["f"].RawMember(), "\"f\":[]");
    std::string items;
    for (const JsonValue item : root["a"]) {
        items += std::string(item.Raw()) + "|";
    }
    EXPECT_EQ(items, "1.50|-2e3|true|null|");
}

TEST(JsonDocument, RefusesWhatIsNoJson) {
    const std::string_view bad[] = {
        "",           " ",   "{",   "}",   "{\"a\"}", "{\"a\":}", "[1,]", "[1 2]",       "{,}",
        "nul",        "01",  "1.",  "\"a", "\"\\x\"", "{} {}",    "{}x",  "\"\\ud800\"", "\"a\nb\"",
        "{\"a\":1,}", "[1}", "'a'", "NaN", "1e400",   "// c\n1"};
    JsonDocument document;
    for (const std::string_view text : bad) {
        EXPECT_FALSE(document.Parse(text)) << text;
        EXPECT_FALSE(document.Root());
    }
    EXPECT_FALSE(document.Parse(std::string_view("{}\0", 3)));
    EXPECT_FALSE(document.Parse(std::string_view("\"a\0b\"", 5)));
}

TEST(JsonDocument, DecodesEveryEscape) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {R"("\"\\\/\b\f\n\r\t")", "\"\\/\b\f\n\r\t"},
        {R"("\u0041\u00e9\u20ac\ud83d\uDE00")", "Aé€😀"},
        {R"("plain, long enough \u0021 and plain again")", "plain, long enough ! and plain again"},
        // Half of a pair that was cut passes as it is; the host replaces what is no UTF-8.
        {R"("a\ude00b")",
         "a\xED\xB8\x80"
         "b"},
    };
    JsonDocument document;
    for (const auto& [text, expected] : cases) {
        ASSERT_TRUE(document.Parse(text)) << text;
        EXPECT_EQ(document.Root().Text(), expected) << text;
        EXPECT_EQ(document.Root().Raw(), text);
    }
    ASSERT_TRUE(document.Parse(R"({"\u0061":"\u0062","c":{"\n":1,"d":"\t"},"e":"plain"})"));
    const JsonValue root = document.Root();
    EXPECT_EQ(root["a"].Text(), "b");
    EXPECT_EQ(root["a"].RawMember(), R"("\u0061":"\u0062")");
    EXPECT_EQ(root["c"]["\n"].Integer(), 1);
    EXPECT_EQ(root["c"]["d"].Text(), "\t");
    EXPECT_EQ(root["e"].Text(), "plain");
    for (const std::string_view text :
         {R"("\u12")", R"("\u12g4")", R"("\ud83d\u0041")", R"("\ud83d\n")", R"("\)", R"("\u)"}) {
        EXPECT_FALSE(document.Parse(text)) << text;
    }
}

// What a double cannot hold by its exponent; what is only small or long can pass.
TEST(JsonDocument, RefusesNumbersThatWouldBecomeInfinite) {
    JsonDocument document;
    for (const std::string_view text : {"1e308", "-1E+308", "1e-400", "0.1e0000000000000000000001",
                                        "123456789012345678901234567890.5", "-0", "0e0"}) {
        EXPECT_TRUE(document.Parse(text)) << text;
        EXPECT_TRUE(document.Root().IsNumber());
        EXPECT_EQ(document.Root().Raw(), text);
    }
    for (const std::string_view text : {"1e309", "1e99999999999999999999", "1e+309", "-", "-a",
                                        "1.e1", ".5", "1e", "1e+", "+1"}) {
        EXPECT_FALSE(document.Parse(text)) << text;
    }
}

// A string of every length, so that it ends at every place within the steps of the reader.
TEST(JsonDocument, FindsTheEndOfEveryString) {
    JsonDocument document;
    for (std::size_t size = 0; size < 40; ++size) {
        const std::string plain(size, '\x7f');
        const std::string text = "[\"" + plain + "\",\"" + plain + "\\\"é\"]";
        ASSERT_TRUE(document.Parse(text)) << size;
        auto item = document.Root().begin();
        EXPECT_EQ((*item).Text(), plain);
        ++item;
        EXPECT_EQ((*item).Text(), plain + "\"é");
        EXPECT_FALSE(document.Parse(text.substr(0, size + 2)));
    }
}

// Wherever they stand: the reader takes several bytes a step.
TEST(JsonDocument, RefusesControlCharactersInStrings) {
    JsonDocument document;
    for (int control = 0; control < 0x20; ++control) {
        for (std::size_t before = 0; before < 40; ++before) {
            const std::string text = "\"" + std::string(before, 'x') + static_cast<char>(control) +
                                     std::string(40, 'y') + "\"";
            EXPECT_FALSE(document.Parse(text)) << control << " after " << before;
            EXPECT_FALSE(document.Parse("{" + text + ":1}")) << control << " after " << before;
        }
    }
}

TEST(JsonDocument, CapsTheDepthBeforeAnythingIsBuiltFromIt) {
    JsonDocument document;
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    EXPECT_TRUE(document.Parse(nested(64)));
    EXPECT_FALSE(document.Parse(nested(65)));
    EXPECT_FALSE(document.Parse(nested(1'000'000)));
    EXPECT_FALSE(document.Parse(std::string(1'000'000, '[')));
    std::string objects;
    for (int i = 0; i < 10'000; ++i) {
        objects += "{\"a\":";
    }
    EXPECT_FALSE(document.Parse(objects));
}

TEST(JsonDocument, CanBeUsedAgain) {
    JsonDocument document;
    ASSERT_TRUE(document.Parse("{\"a\":\"\\n\"}"));
    ASSERT_FALSE(document.Parse("{"));
    const std::string again = "[\"\\t\",2]";
    ASSERT_TRUE(document.Parse(again));
    EXPECT_EQ((*document.Root().begin()).Text(), "\t");
}

TEST(JsonValue, WholeNumbers) {
    const std::pair<std::string_view, std::optional<std::int64_t>> cases[] = {
        {"0", 0},
        {"-7", -7},
        {"9223372036854775807", 9223372036854775807LL},
        {"9223372036854775808", std::nullopt},
        {"2.0", 2},
        {"2e3", 2000},
        {"1790000000.25", std::nullopt},
        {"\"5\"", std::nullopt},
        {"true", std::nullopt},
        {"null", std::nullopt},
    };
    JsonDocument document;
    for (const auto& [text, expected] : cases) {
        ASSERT_TRUE(document.Parse(text)) << text;
        EXPECT_EQ(document.Root().Integer(), expected) << text;
    }
}

TEST(JsonValue, AnswersNoWhereNothingIs) {
    JsonDocument document;
    ASSERT_TRUE(document.Parse("{\"a\":[1],\"d\":1,\"d\":2}"));
    const JsonValue root = document.Root();
    EXPECT_FALSE(root["x"]);
    EXPECT_FALSE(root["x"]["y"]["z"]);
    EXPECT_FALSE(root["a"]["b"]);
    EXPECT_EQ(root["x"].Text(), "");
    EXPECT_EQ(root["x"].Raw(), "");
    EXPECT_TRUE(root["x"].IsNull());
    for (const JsonValue item : root["x"]) {
        FAIL() << item.Raw();
    }
    EXPECT_EQ(root["d"].Raw(), "2");
}

TEST(AppendJsonString, ComesBackAsItWas) {
    std::string all;
    for (int c = 1; c < 0x80; ++c) {
        all.push_back(static_cast<char>(c));
    }
    all += "é😀";
    std::string written;
    AppendJsonString(written, all);
    JsonDocument document;
    ASSERT_TRUE(document.Parse(written));
    EXPECT_EQ(document.Root().Text(), all);
}

}  // namespace
}  // namespace aim::sdk
