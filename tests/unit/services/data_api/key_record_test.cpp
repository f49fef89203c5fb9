#include "services/data_api/records/key_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/time_format.hpp"
#include "core/json/json.hpp"

namespace aim::data_api {
namespace {

const WallTime kNow = *ParseRfc3339("2026-11-21T10:00:00Z");

Result<NewKey> ReadKey(const std::string& text) {
    const auto document = json::Parse(text);
    EXPECT_TRUE(document) << text;
    return ReadNewKey(document->root(), kNow);
}

TEST(KeyRecord, HasDefaults) {
    const auto key = ReadKey(R"({"name":"web"})");
    ASSERT_TRUE(key);
    EXPECT_EQ(key->scopes, (std::vector<std::string>{"prompts", "history"}));
    EXPECT_FALSE(key->expires_at);
    EXPECT_FALSE(key->rate_limit_per_minute);
    EXPECT_TRUE(key->secret.made_here);
    EXPECT_EQ(key->secret.prefix(), std::string(key->secret.text.Reveal().substr(0, 8)));
    const auto another = ReadKey(R"({"name":"web"})");
    EXPECT_NE(another->secret.text.Reveal(), key->secret.text.Reveal());
}

TEST(KeyRecord, TakesWhatIsGiven) {
    const auto key = ReadKey(
        R"({"name":"web","scopes":["admin","admin"],"expires_at":"2026-11-21T10:00:01Z","rate_limit_per_minute":0,"secret":"12345678901234567890"})");
    ASSERT_TRUE(key);
    EXPECT_EQ(key->scopes, std::vector<std::string>{"admin"});
    EXPECT_EQ(key->expires_at, kNow + std::chrono::seconds(1));
    EXPECT_EQ(key->rate_limit_per_minute, 0);
    EXPECT_FALSE(key->secret.made_here);
    EXPECT_EQ(key->secret.text.Reveal(), "12345678901234567890");
}

TEST(KeyRecord, NullIsNotGiven) {
    const auto key = ReadKey(
        R"({"name":"web","scopes":null,"expires_at":null,"rate_limit_per_minute":null,"secret":null})");
    ASSERT_TRUE(key);
    EXPECT_EQ(key->scopes.size(), 2U);
    EXPECT_TRUE(key->secret.made_here);
}

TEST(KeyRecord, AnEndHasToBeInTheFuture) {
    const auto key = ReadKey(R"({"name":"web","expires_at":"2026-11-21T10:00:00Z"})");
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().field, "expires_at");
}

TEST(KeyRecord, NoErrorRepeatsASecret) {
    const auto key = ReadKey(R"({"name":"web","secret":"canary"})");
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().field, "secret");
    EXPECT_THAT(key.error().message, ::testing::Not(::testing::HasSubstr("canary")));
}

TEST(KeyRecord, ARotationHasAnHourUnlessToldOtherwise) {
    const auto read = [](const std::string& text) {
        return ReadKeyRotation(json::Parse(text)->root());
    };
    EXPECT_EQ(ReadKeyRotation(json::Value())->grace, std::chrono::hours(1));
    EXPECT_EQ(read("{}")->grace, std::chrono::hours(1));
    EXPECT_EQ(read(R"({"grace_ms":0})")->grace, std::chrono::hours(0));
    EXPECT_EQ(read(R"({"grace_ms":"1h"})").error().field, "grace_ms");
    EXPECT_EQ(read(R"({"grace":1})").error().field, "grace");
}

TEST(KeyRecord, ASecretIsWrittenOnlyWhenItWasMadeHere) {
    KeyRow row;
    row.name = "web";
    KeySecret secret{SecretString("the-secret"), true};
    const auto write = [&](const KeySecret* told) {
        std::string text;
        json::Writer writer(text);
        WriteKey(writer, row, told);
        return text;
    };
    EXPECT_THAT(write(&secret), ::testing::HasSubstr(R"("secret":"the-secret")"));
    EXPECT_THAT(write(nullptr), ::testing::Not(::testing::HasSubstr("secret")));
    secret.made_here = false;
    EXPECT_THAT(write(&secret), ::testing::Not(::testing::HasSubstr("secret")));
}

}  // namespace
}  // namespace aim::data_api
