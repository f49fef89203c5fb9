#include "services/telegram_bot/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aim::telegram_bot {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kToken = "700100:AAAAAAAAAAAAAAAAAAAAAAAAAAAA";

using Variables = std::map<std::string, std::string, std::less<>>;

struct ReadOptions {
    explicit ReadOptions(Variables variables)
        : environment(std::move(variables)), reader(environment), options(Options::Read(reader)) {}

    config::Environment environment;
    config::Reader reader;
    Options options;
};

TEST(OptionsTest, DefaultsAreTheContracts) {
    const ReadOptions read({{"TELEGRAM_BOT_TOKEN", kToken}, {"API_KEY", "k"}});
    EXPECT_TRUE(read.reader.errors().empty()) << read.reader.errors().ToString();
    EXPECT_EQ(read.options.port, 8003);
    EXPECT_EQ(read.options.host, "127.0.0.1");
    EXPECT_EQ(read.options.telegram.Origin(), "https://api.telegram.org:443");
    EXPECT_EQ(read.options.business_api.port, 8000);
    EXPECT_EQ(read.options.poller.poll_time, std::chrono::seconds(50));
    EXPECT_TRUE(read.options.bot.admins.empty());
}

TEST(OptionsTest, NamesOfTheSeedsAreKnown) {
    const ReadOptions read({{"TELEGRAM_BOT_TOKEN", kToken},
                            {"BOT_API_KEY", "own"},
                            {"API_KEY", "other"},
                            {"AI_MANAGER_API_URL", "http://aimanager_business_api:8000"},
                            {"BOT_ADMIN_IDS", "123456, 789012"}});
    EXPECT_TRUE(read.reader.errors().empty()) << read.reader.errors().ToString();
    EXPECT_EQ(read.options.business_api.host, "aimanager_business_api");
    EXPECT_EQ(read.options.api_key.Reveal(), "own");
    EXPECT_EQ(read.options.bot.admins, (std::set<std::int64_t>{123456, 789012}));
}

TEST(OptionsTest, AllErrorsComeAtOnceAndWithoutValues) {
    const ReadOptions read({{"TELEGRAM_BOT_TOKEN", "canary/../getMe"},
                            {"TELEGRAM_API_URL", "ftp://x"},
                            {"BUSINESS_API_URL", "nonsense"},
                            {"BOT_ADMIN_IDS", "1,anna"},
                            {"TELEGRAM_BOT_PORT", "99999"},
                            {"BOT_POLL_TIMEOUT", "60"},
                            {"LOG_LEVEL", "LOUD"}});
    const std::string errors = read.reader.errors().ToString();
    for (const char* name :
         {"TELEGRAM_BOT_TOKEN", "TELEGRAM_API_URL", "BUSINESS_API_URL", "BOT_ADMIN_IDS",
          "TELEGRAM_BOT_PORT", "BOT_POLL_TIMEOUT", "LOG_LEVEL", "BOT_API_KEY"})
        EXPECT_THAT(errors, HasSubstr(name));
    EXPECT_THAT(errors, Not(HasSubstr("canary")));
    EXPECT_THAT(ReadOptions(Variables{{"API_KEY", "k"}}).reader.errors().ToString(),
                HasSubstr("TELEGRAM_BOT_TOKEN: must be set"));
}

TEST(OptionsTest, ATokenIsDigitsAndLetters) {
    EXPECT_TRUE(LooksLikeToken("1234567890:ABCdefGHIjklMNOpqrsTUVwxyz"));
    EXPECT_TRUE(LooksLikeToken(kToken));
    for (const char* text : {"", ":", "1:", ":ABCdefGHIjklMNOpqrsTUVwxyz", "12:short",
                             "12a:ABCdefGHIjklMNOpqrsTUVwxyz", "12:ABCdefGHIjkl/../NOpqrsTUVwxyz",
                             "12:ABCdefGHIjkl MNOpqrsTUVwxyz", "12:ABCdefGHIjklMNOpqrs?UVwxyz"})
        EXPECT_FALSE(LooksLikeToken(text)) << text;
}

}  // namespace
}  // namespace aim::telegram_bot
