#include "core/json/writer.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.hpp"
#include "core/json/json.hpp"

namespace aim::json {
namespace {

TEST(Writer, PutsCommasWhereTheyBelong) {
    std::string out = "data: ";
    Writer writer(out);
    writer.BeginObject()
        .Field("a", 1)
        .Key("b")
        .BeginArray()
        .EndArray()
        .Key("c")
        .BeginArray()
        .Int(1)
        .BeginObject()
        .EndObject();
    writer.BeginArray()
        .Null()
        .Bool(true)
        .EndArray()
        .EndArray()
        .Field("d", "x")
        .Key("e")
        .Raw("[1]")
        .EndObject();
    EXPECT_EQ(out, R"(data: {"a":1,"b":[],"c":[1,{},[null,true]],"d":"x","e":[1]})");
}

TEST(Writer, WritesEveryTypeByPut) {
    std::string out;
    Writer writer(out);
    const std::optional<std::int64_t> none;
    writer.BeginArray()
        .Put(true)
        .Put(-1)
        .Put(std::uint64_t{18446744073709551615U})
        .Put(0.5)
        .Put("text")
        .Put(std::string("s"));
    writer.Put(std::string_view("v"))
        .Put(none)
        .Put(std::optional<int>(3))
        .Put(nullptr)
        .Put(std::nullopt)
        .EndArray();
    EXPECT_EQ(out, R"([true,-1,18446744073709551615,0.5,"text","s","v",null,3,null,null])");
}

TEST(Writer, EscapesWhatMustBeEscapedAndRepairsTheRest) {
    std::string out;
    AppendQuoted(std::string_view("\"\\\b\f\n\r\t\0\x1f/\x7f", 11), out);
    EXPECT_EQ(out, "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f/\x7f\"");
    out.clear();
    AppendQuoted("0123456789\xFF\xD0\xBF\xE2\x82", out);
    EXPECT_EQ(out, "\"0123456789\xEF\xBF\xBD\xD0\xBF\xEF\xBF\xBD\"");
}

TEST(Writer, AnyBytesBecomeAValidString) {
    const auto random = MakeSeededRandom(5);
    for (int round = 0; round < 3000; ++round) {
        std::string text;
        const std::size_t size = random->Next() % 40;
        for (std::size_t i = 0; i < size; ++i)
            text.push_back(static_cast<char>(random->Next() % (round % 2 == 0 ? 256 : 130)));
        std::string out;
        AppendQuoted(text, out);
        const Result<Document> document = Parse(out);
        ASSERT_TRUE(document.has_value()) << out;
        if (std::all_of(text.begin(), text.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
            EXPECT_EQ(document->root().AsString(), text);
        }
    }
}

TEST(Writer, DecimalsHaveAtMostTwoDigits) {
    const std::vector<std::pair<double, std::string>> cases = {
        {0, "0"},
        {95.5, "95.5"},
        {100, "100"},
        {0.07, "0.07"},
        {0.004, "0"},
        {0.005, "0.01"},
        {33.333333, "33.33"},
        {66.666666, "66.67"},
        {-1.5, "-1.5"},
        {-0.01, "-0.01"},
        {-0.001, "0"},
        {99.999, "100"},
        {1e12, "1000000000000"},
        {std::nan(""), "null"},
        {std::numeric_limits<double>::infinity(), "null"},
        {1e300, "1e+300"}};
    for (const auto& [value, text] : cases) {
        std::string out;
        Writer(out).Decimal(value);
        EXPECT_EQ(out, text);
    }
    for (int hundredths = 0; hundredths <= 10000; ++hundredths) {
        std::string out;
        Writer(out).Decimal(hundredths / 100.0);
        EXPECT_EQ(std::lround(std::stod(out) * 100), hundredths);
        EXPECT_LE(out.size() - std::min(out.find('.'), out.size()), 3u) << out;
    }
}

TEST(Writer, DoublesReadBackTheSame) {
    const auto random = MakeSeededRandom(9);
    for (int i = 0; i < 5000; ++i) {
        double value = 0;
        const std::uint64_t bits = random->Next();
        static_assert(sizeof value == sizeof bits);
        std::memcpy(&value, &bits, sizeof value);
        if (!std::isfinite(value)) continue;
        std::string out;
        Writer(out).Double(value);
        EXPECT_EQ(Parse(out)->root().AsDouble(), value) << out;
    }
    std::string out;
    Writer(out).BeginArray().Double(std::nan("")).Double(0.7).Double(-0.0).EndArray();
    EXPECT_EQ(out, "[null,0.7,-0.0]");
}

}  // namespace
}  // namespace aim::json
