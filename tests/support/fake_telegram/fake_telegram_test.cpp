#include "tests/support/fake_telegram/fake_telegram.hpp"

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_telegram/entity_parser.hpp"
#include "tests/support/http_test_client/http_test_client.hpp"

namespace aim::testing {
namespace {

using ::testing::HasSubstr;

constexpr const char* kToken = "700100:AAAAAAAAAAAAAAAAAAAAAAAA";

class FakeTelegramTest : public ::testing::Test {
  protected:
    test::HttpAnswer Call(const std::string& method, const std::string& body,
                          const std::string& token = kToken) {
        return client_.Post("/bot" + token + "/" + method, body);
    }
    std::string Send(std::int64_t chat, const std::string& text, const std::string& more = "") {
        return Call("sendMessage", "{\"chat_id\":" + std::to_string(chat) + ",\"text\":\"" + text +
                                       "\"" + more + "}")
            .body;
    }

    FakeTelegram telegram_{kToken};
    test::HttpTestClient client_{telegram_.port()};
};

TEST_F(FakeTelegramTest, KnowsItsToken) {
    EXPECT_EQ(Call("getMe", "{}").status, 200);
    EXPECT_EQ(Call("getMe", "{}", "700100:wrong").status, 401);
    EXPECT_EQ(client_.Post("/somewhere", "{}").status, 404);
    EXPECT_THAT(Call("noSuchMethod", "{}").body, HasSubstr("Not Found: method not found"));
}

TEST_F(FakeTelegramTest, UpdatesStayUntilTheyAreConfirmed) {
    telegram_.Say(5, "one");
    telegram_.Say(5, "two");
    const std::string first = Call("getUpdates", R"({"timeout":0})").body;
    EXPECT_THAT(first, HasSubstr("\"one\""));
    EXPECT_THAT(first, HasSubstr("\"two\""));
    EXPECT_EQ(Call("getUpdates", R"({"timeout":0,"limit":1})").body.find("\"two\""),
              std::string::npos);
    EXPECT_EQ(Call("getUpdates", R"({"timeout":0,"offset":900002})").body.find("\"one\""),
              std::string::npos);
    EXPECT_EQ(telegram_.Unconfirmed(), 1U);
    EXPECT_EQ(Call("getUpdates", R"({"timeout":0,"offset":900003})").body,
              R"({"ok":true,"result":[]})");
}

TEST_F(FakeTelegramTest, TheNewerPollEndsTheOlder) {
    auto older = std::async(std::launch::async, [&] {
        test::HttpTestClient client(telegram_.port());
        return client.Post("/bot" + telegram_.token() + "/getUpdates", R"({"timeout":30})");
    });
    ASSERT_TRUE(telegram_.WaitUntil([&] { return telegram_.Polling(); }));
    EXPECT_EQ(Call("getUpdates", R"({"timeout":0})").status, 200);
    const test::HttpAnswer ended = older.get();
    EXPECT_EQ(ended.status, 409);
    EXPECT_THAT(ended.body, HasSubstr("terminated by other getUpdates request"));
    telegram_.SetWebhook(true);
    EXPECT_THAT(Call("getUpdates", R"({"timeout":0})").body, HasSubstr("webhook is active"));
    EXPECT_EQ(Call("deleteWebhook", "{}").status, 200);
    EXPECT_EQ(Call("getUpdates", R"({"timeout":0})").status, 200);
}

TEST_F(FakeTelegramTest, MessagesFollowTelegramsRules) {
    EXPECT_THAT(Send(5, "hi"), HasSubstr("Bad Request: chat not found"));
    telegram_.Say(5, "hello");
    EXPECT_THAT(Send(5, "  "), HasSubstr("Bad Request: message text is empty"));
    EXPECT_THAT(Send(5, std::string(4096, 'x')), HasSubstr("\"ok\":true"));
    EXPECT_THAT(Send(5, std::string(4097, 'x')), HasSubstr("Bad Request: message is too long"));
    std::string smileys;
    for (int i = 0; i < 2048; ++i) smileys += "😀";
    EXPECT_THAT(Send(5, smileys), HasSubstr("\"ok\":true"));
    EXPECT_THAT(Send(5, smileys + "x"), HasSubstr("message is too long"));
    EXPECT_THAT(Send(5, "<b>x", R"(,"parse_mode":"HTML")"), HasSubstr("can't parse entities"));
    EXPECT_THAT(Send(5, "x", R"(,"parse_mode":"Word")"), HasSubstr("unsupported parse_mode"));
    const std::string long_data(65, 'd');
    EXPECT_THAT(Send(5, "x",
                     R"(,"reply_markup":{"inline_keyboard":[[{"text":"a","callback_data":")" +
                         long_data + "\"}]]}"),
                HasSubstr("BUTTON_DATA_INVALID"));
    telegram_.Block(5);
    EXPECT_THAT(Send(5, "hi"), HasSubstr("Forbidden: bot was blocked by the user"));
}

TEST_F(FakeTelegramTest, EditsMustChangeSomething) {
    telegram_.Say(5, "hello");
    Send(5, "first");
    const std::int64_t id = telegram_.LastFromBot(5).id;
    const auto edit = [&](const std::string& text, std::int64_t message) {
        return Call("editMessageText", "{\"chat_id\":5,\"message_id\":" + std::to_string(message) +
                                           ",\"text\":\"" + text + "\"}");
    };
    EXPECT_EQ(edit("second", id).status, 200);
    EXPECT_THAT(edit("second", id).body, HasSubstr("message is not modified"));
    EXPECT_THAT(edit("x", 999).body, HasSubstr("message to edit not found"));
    EXPECT_EQ(telegram_.LastFromBot(5).edits, 1);
    telegram_.SetEditInterval(std::chrono::hours(1));
    const test::HttpAnswer fast = edit("third", id);
    EXPECT_EQ(fast.status, 429);
    EXPECT_THAT(fast.body, HasSubstr("\"retry_after\":1"));
}

TEST_F(FakeTelegramTest, ButtonsGetOld) {
    const std::string question = telegram_.Press(5, 5, 1, "m:auto");
    const std::string body = "{\"callback_query_id\":\"" + question + "\"}";
    EXPECT_EQ(Call("answerCallbackQuery", body).status, 200);
    EXPECT_THAT(Call("answerCallbackQuery", body).body, HasSubstr("query is too old"));
}

TEST_F(FakeTelegramTest, FaultsComeAsOftenAsTold) {
    telegram_.Say(5, "hello");
    TelegramFault fault;
    fault.method = "sendMessage";
    fault.code = 429;
    fault.description = "Too Many Requests: retry after 3";
    fault.retry_after = 3;
    fault.times = 2;
    telegram_.Inject(fault);
    EXPECT_THAT(Send(5, "a"), HasSubstr("\"retry_after\":3"));
    EXPECT_THAT(Send(5, "a"), HasSubstr("\"retry_after\":3"));
    EXPECT_THAT(Send(5, "a"), HasSubstr("\"ok\":true"));
}

TEST(EntityParserTest, HtmlErrorsAreTelegrams) {
    EXPECT_EQ(ParseTelegramHtml("<b>x</b> &lt;&amp;&gt; <a href=\"http://a\">y</a>").visible,
              "x <&> y");
    EXPECT_EQ(ParseTelegramHtml("a <b>x").error,
              "can't parse entities: Can't find end tag corresponding to start tag \"b\"");
    EXPECT_EQ(ParseTelegramHtml("a <h1>x</h1>").error,
              "can't parse entities: Unsupported start tag \"h1\" at byte offset 2");
    EXPECT_EQ(ParseTelegramHtml("a</b>").error,
              "can't parse entities: Unexpected end tag at byte offset 1");
    EXPECT_EQ(ParseTelegramHtml("<b><i>x</b></i>").error,
              "can't parse entities: Unmatched end tag at byte offset 7, expected \"</i>\", found "
              "\"</b>\"");
    EXPECT_EQ(ParseTelegramHtml("1 < 2").error,
              "can't parse entities: Unclosed start tag at byte offset 2");
}

TEST(EntityParserTest, MarkdownErrorsAreTelegrams) {
    EXPECT_EQ(ParseTelegramMarkdownV2("*x* `a.b` done\\.").visible, "x a.b done.");
    EXPECT_EQ(ParseTelegramMarkdownV2("done.").error,
              "can't parse entities: Character '.' is reserved and must be escaped with the "
              "preceding '\\'");
    EXPECT_EQ(ParseTelegramMarkdownV2("ab *x").error,
              "can't parse entities: Can't find end of Bold entity at byte offset 3");
}

}  // namespace
}  // namespace aim::testing
