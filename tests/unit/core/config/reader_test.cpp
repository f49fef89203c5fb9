#include "core/config/reader.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aim::config {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Environment With(std::string value) { return Environment({{"X", std::move(value)}}); }

// True when the getter finds fault with the value.
bool Refuses(const std::string& value, const std::function<void(Reader&)>& get) {
    const Environment environment = With(value);
    Reader reader(environment);
    get(reader);
    return !reader.errors().empty();
}

TEST(Reader, UnsetAndEmptyVariablesGiveTheDefaults) {
    for (const Environment& environment : {Environment(), With("")}) {
        Reader reader(environment);
        EXPECT_EQ(reader.Text("X", "d"), "d");
        EXPECT_EQ(reader.Port("X", 8000), 8000);
        EXPECT_EQ(reader.Integer("X", -5, 0, 10), -5);
        EXPECT_EQ(reader.Number("X", 0.5, 0, 1), 0.5);
        EXPECT_TRUE(reader.Bool("X", true));
        EXPECT_EQ(reader.Choice("X", "interval", {"interval", "always"}), "interval");
        EXPECT_EQ(reader.Milliseconds("X", 120s), 120000ms);
        EXPECT_EQ(reader.Seconds("X", 1h), 3600s);
        EXPECT_EQ(reader.Bytes("X", 1 << 30), std::uint64_t{1} << 30);
        EXPECT_THAT(reader.List("X", "a, b"), ElementsAre("a", "b"));
        EXPECT_EQ(reader.Url("X", "http://127.0.0.1:8001"), "http://127.0.0.1:8001");
        EXPECT_TRUE(reader.Secret("X").empty());
        EXPECT_TRUE(reader.errors().empty());
    }
}

TEST(Reader, ReadsNumbersWithTheirRange) {
    const Environment environment({{"N", " 42 "}, {"P", "8443"}, {"D", "0.25"}, {"MS", "1500"}});
    Reader reader(environment);
    EXPECT_EQ(reader.Integer("N", 0, 0, 100), 42);
    EXPECT_EQ(reader.Port("P", 1), 8443);
    EXPECT_EQ(reader.Number("D", 0, 0, 1), 0.25);
    EXPECT_EQ(reader.Milliseconds("MS", 0ms), 1500ms);
    EXPECT_TRUE(reader.errors().empty());

    const auto integer = [](Reader& r) { r.Integer("X", 0, -10, 10); };
    for (const char* value :
         {"11", "-11", "1.5", "abc", "1 2", "0x1", "99999999999999999999", "+1", "--1"})
        EXPECT_TRUE(Refuses(value, integer)) << value;
    for (const char* value : {"10", "-10", "0"}) EXPECT_FALSE(Refuses(value, integer)) << value;
    const auto port = [](Reader& r) { r.Port("X", 0); };
    EXPECT_TRUE(Refuses("65536", port));
    EXPECT_TRUE(Refuses("-1", port));
    EXPECT_FALSE(Refuses("0", port));
    const auto number = [](Reader& r) { r.Number("X", 0, 0, 1); };
    for (const char* value : {"nan", "inf", "1.1", "x"})
        EXPECT_TRUE(Refuses(value, number)) << value;
    EXPECT_TRUE(Refuses("-1", [](Reader& r) { r.Milliseconds("X", 1ms); }));
    EXPECT_TRUE(Refuses("5", [](Reader& r) { r.Seconds("X", 10s, 10s, 20s); }));
}

TEST(Reader, ReadsSizes) {
    const std::map<std::string, std::uint64_t> sizes = {{"0", 0},
                                                        {"4096", 4096},
                                                        {"256KiB", 262144},
                                                        {"64 MiB", 67108864},
                                                        {"1GiB", 1073741824},
                                                        {"2gib", 2147483648},
                                                        {"7B", 7}};
    for (const auto& [text, bytes] : sizes) {
        const Environment environment = With(text);
        Reader reader(environment);
        EXPECT_EQ(reader.Bytes("X", 1), bytes) << text;
        EXPECT_TRUE(reader.errors().empty()) << text;
    }
    const auto get = [](Reader& r) { r.Bytes("X", 1); };
    for (const char* value : {"-1", "1KB", "1TiB", "KiB", "1.5MiB", "99999999999999999999",
                              "99999999999999999GiB", "1KiBx"}) {
        EXPECT_TRUE(Refuses(value, get)) << value;
    }
    EXPECT_TRUE(Refuses("10", [](Reader& r) { r.Bytes("X", 1, 100); }));
}

TEST(Reader, ReadsWords) {
    for (const char* value : {"true", "1", "YES", "on"}) {
        const Environment environment = With(value);
        EXPECT_TRUE(Reader(environment).Bool("X", false)) << value;
    }
    for (const char* value : {"false", "0", "No", "OFF"}) {
        const Environment environment = With(value);
        EXPECT_FALSE(Reader(environment).Bool("X", true)) << value;
    }
    EXPECT_TRUE(Refuses("maybe", [](Reader& r) { r.Bool("X", true); }));

    const Environment environment = With("Always");
    EXPECT_EQ(Reader(environment).Choice("X", "off", {"interval", "always", "off"}), "always");
    EXPECT_TRUE(Refuses("alway", [](Reader& r) {
        r.Choice("X", "off", {"interval", "always", "off"});
    }));
}

TEST(Reader, ReadsLists) {
    const Environment environment(
        {{"COMMAS", " a ,b,, c "}, {"COLONS", "/x:/y z:"}, {"NOTHING", " , "}});
    Reader reader(environment);
    EXPECT_THAT(reader.List("COMMAS"), ElementsAre("a", "b", "c"));
    EXPECT_THAT(reader.List("COLONS", "", ':'), ElementsAre("/x", "/y z"));
    EXPECT_TRUE(reader.List("NOTHING", "default").empty());
}

TEST(Reader, ReadsUrls) {
    const auto get = [](Reader& r) { r.Url("X", ""); };
    for (const char* value : {"http://localhost", "https://api.example.com:8443/v1?x=1",
                              "HTTP://[::1]:80/", "http://u:p@host"}) {
        EXPECT_FALSE(Refuses(value, get)) << value;
    }
    for (const char* value :
         {"localhost:8000", "ftp://x", "http://", "http://:80", "http://h:0", "http://h:99999",
          "http://h:x", "http://a b", "http://h\x01", "http://[::1", "http:/x", "://x"}) {
        EXPECT_TRUE(Refuses(value, get)) << value;
    }
    const Environment environment = With("http://host:1/");
    EXPECT_EQ(Reader(environment).Url("X", ""), "http://host:1");
    EXPECT_FALSE(Refuses("postgresql://u@h/d", [](Reader& r) {
        r.Url("X", "", {"postgresql", "postgres"});
    }));
}

TEST(Reader, CollectsEveryErrorByNameAndNeverAValue) {
    const std::string canary = "gsk_canary_0123456789";
    const Environment environment({{"API_KEY", canary},
                                   {"BUSINESS_API_PORT", canary},
                                   {"MAX_ATTEMPTS", canary},
                                   {"LEDGER_FSYNC", canary},
                                   {"LEDGER_MAX_BYTES", canary},
                                   {"DATA_API_URL", canary}});
    Reader reader(environment);
    EXPECT_EQ(reader.Secret("API_KEY").Reveal(), canary);
    EXPECT_EQ(reader.Port("BUSINESS_API_PORT", 8000), 8000);
    EXPECT_EQ(reader.Integer("MAX_ATTEMPTS", 4, 1, 16), 4);
    EXPECT_EQ(reader.Choice("LEDGER_FSYNC", "interval", {"interval", "always", "off"}), "interval");
    EXPECT_EQ(reader.Bytes("LEDGER_MAX_BYTES", 1), 1u);
    EXPECT_EQ(reader.Url("DATA_API_URL", "http://x"), "http://x");
    reader.RequiredText("TELEGRAM_API_URL");
    EXPECT_TRUE(reader.RequiredSecret("TELEGRAM_BOT_TOKEN").empty());
    reader.AddError("MASTER_KEY", "must be the base64 of 32 bytes");

    EXPECT_EQ(reader.errors().size(), 8u);
    const std::string text = reader.errors().ToString();
    EXPECT_THAT(text, HasSubstr("The configuration has 8 errors:\n"));
    EXPECT_THAT(text, HasSubstr("  BUSINESS_API_PORT: must be a whole number from 0 to 65535\n"));
    EXPECT_THAT(text, HasSubstr("  LEDGER_FSYNC: must be one of interval, always, off\n"));
    EXPECT_THAT(text, HasSubstr("  TELEGRAM_BOT_TOKEN: must be set\n"));
    EXPECT_THAT(text, HasSubstr("  MASTER_KEY: must be the base64 of 32 bytes\n"));
    EXPECT_THAT(text, Not(HasSubstr(canary)));
}

}  // namespace
}  // namespace aim::config
