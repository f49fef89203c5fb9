#include "services/telegram_bot/command.hpp"

#include <gtest/gtest.h>

namespace aim::telegram_bot {
namespace {

TEST(CommandTest, TakesCommandsApart) {
    struct Case {
        const char* text;
        const char* name;
        const char* addressee;
        const char* arguments;
    };
    const Case cases[] = {
        {"/start", "start", "", ""},        {"/START", "start", "", ""},
        {"/ask why?  ", "ask", "", "why?"}, {"/ask@SomeBot\nwhy\nso", "ask", "SomeBot", "why\nso"},
        {"/stats@", "stats", "", ""},
    };
    for (const Case& one : cases) {
        const auto command = ParseCommand(one.text);
        ASSERT_TRUE(command) << one.text;
        EXPECT_EQ(command->name, one.name);
        EXPECT_EQ(command->addressee, one.addressee);
        EXPECT_EQ(command->arguments, one.arguments);
    }
    for (const char* text : {"", "/", "hello", " /start", "/etc/passwd", "/ start", "/команда"})
        EXPECT_FALSE(ParseCommand(text)) << text;
}

TEST(CommandTest, FindsAMentionWhereverItStands) {
    EXPECT_EQ(WithoutMention("@MyBot why?", "MyBot"), "why?");
    EXPECT_EQ(WithoutMention("why, @mybot, so", "MyBot"), "why, , so");
    EXPECT_EQ(WithoutMention("why? @MyBot", "MyBot"), "why?");
    EXPECT_EQ(WithoutMention("@MyBot", "MyBot"), "");
    EXPECT_EQ(WithoutMention("mail me@MyBots @MyBot", "MyBot"), "mail me@MyBots");
    EXPECT_FALSE(WithoutMention("why?", "MyBot"));
    EXPECT_FALSE(WithoutMention("@MyBot2 why?", "MyBot"));
    EXPECT_FALSE(WithoutMention("@ why?", ""));
}

}  // namespace
}  // namespace aim::telegram_bot
