#include "services/telegram_bot/update.hpp"

#include <gtest/gtest.h>

#include "core/json/json.hpp"

namespace aim::telegram_bot {
namespace {

constexpr std::int64_t kBot = 77;

Update Read(const std::string& members) {
    const auto document = json::Parse("{\"update_id\":5," + members + "}");
    EXPECT_TRUE(document) << members;
    const auto update = ReadUpdate(document->root(), kBot);
    EXPECT_TRUE(update);
    return update.value_or(Update());
}

constexpr const char* kFrom = R"("from":{"id":42,"is_bot":false,"username":"anna"})";

TEST(UpdateTest, ReadsATextMessage) {
    const Update update = Read(std::string(R"("message":{"message_id":12,)") + kFrom +
                               R"(,"chat":{"id":42,"type":"private"},"text":"hi"})");
    EXPECT_EQ(update.id, 5);
    EXPECT_EQ(update.kind, Update::Kind::kText);
    EXPECT_EQ(update.chat_id, 42);
    EXPECT_EQ(update.user_id, 42);
    EXPECT_EQ(update.username, "anna");
    EXPECT_EQ(update.text, "hi");
    EXPECT_TRUE(update.in_private);
}

TEST(UpdateTest, ReadsGroupsTopicsAndReplies) {
    const Update update =
        Read(std::string(
                 R"("message":{"message_id":12,"is_topic_message":true,"message_thread_id":9,)") +
             kFrom +
             R"(,"chat":{"id":-100200300400,"type":"supergroup"},"text":"hi",
                 "reply_to_message":{"from":{"id":77}}})");
    EXPECT_EQ(update.chat_id, -100200300400);
    EXPECT_EQ(update.thread_id, 9);
    EXPECT_TRUE(update.replies_to_bot);
    EXPECT_FALSE(update.in_private);
}

TEST(UpdateTest, KnowsTheOtherKinds) {
    struct Case {
        std::string members;
        Update::Kind kind;
    };
    const std::string chat = R"(,"chat":{"id":42,"type":"private"})";
    const Case cases[] = {
        {std::string(R"("edited_message":{"message_id":1,)") + kFrom + chat + R"(,"text":"x"})",
         Update::Kind::kEdited},
        {std::string(R"("message":{"message_id":1,)") + kFrom + chat + R"(,"voice":{}})",
         Update::Kind::kOther},
        {std::string(R"("message":{"message_id":1,)") + kFrom + chat + R"(,"new_chat_members":[]})",
         Update::Kind::kIgnored},
        {R"("message":{"message_id":1,"from":{"id":3,"is_bot":true},"chat":{"id":1},"text":"x"})",
         Update::Kind::kIgnored},
        {R"("message":{"message_id":1,"chat":{"id":1},"text":"x"})", Update::Kind::kIgnored},
        {std::string(R"("message":{"message_id":1,)") + kFrom + chat +
             R"(,"migrate_to_chat_id":-1009})",
         Update::Kind::kMigrated},
        {std::string(R"("my_chat_member":{)") + kFrom + chat +
             R"(,"new_chat_member":{"status":"kicked"}})",
         Update::Kind::kLeft},
        {std::string(R"("my_chat_member":{)") + kFrom + chat +
             R"(,"new_chat_member":{"status":"member"}})",
         Update::Kind::kIgnored},
        {std::string(R"("callback_query":{"id":"q1",)") + kFrom +
             R"(,"message":{"message_id":3,"date":0,"chat":{"id":42}},"data":"m:auto"})",
         Update::Kind::kButton},
        {R"("poll":{})", Update::Kind::kIgnored},
        {R"("message":7)", Update::Kind::kIgnored},
        {R"("message":{"chat":"x","from":[],"text":5})", Update::Kind::kIgnored},
        {R"("callback_query":{"id":5})", Update::Kind::kIgnored},
    };
    for (const Case& one : cases) EXPECT_EQ(Read(one.members).kind, one.kind) << one.members;
    const auto none = json::Parse(R"({"message":{}})");
    EXPECT_FALSE(ReadUpdate(none->root(), kBot));
}

}  // namespace
}  // namespace aim::telegram_bot
