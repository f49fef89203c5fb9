// A request as a plugin sees it (aim/abi/chat_request.h).
#include "core/plugin/request_view.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "core/json/json.hpp"
#include "tests/support/scripted_plugin.hpp"

namespace aim::plugin {
namespace {

using aim::testing::FromAbi;
using completion::Role;

completion::ChatRequest Request() {
    completion::ChatRequest request;
    request.members = R"("messages":[{"role":"user","content":"Hi"}],"seed":7)";
    request.messages.push_back({Role::kUser, false, false, "Hi", ""});
    return request;
}

TEST(RequestViewTest, TheObjectHasModelAndStreamAtItsFrontAndTheRestAsItCame) {
    completion::ChatRequest request = Request();
    const RequestView whole(request, "m", "\"m\"", "http://p.test/v1");
    EXPECT_EQ(
        FromAbi(whole.get()->json),
        R"({"model":"m","stream":false,"messages":[{"role":"user","content":"Hi"}],"seed":7})");
    EXPECT_EQ(whole.get()->flags, 0U);

    request.stream = true;
    const RequestView streamed(request, "m", "\"m\"", "http://p.test/v1");
    EXPECT_EQ(FromAbi(streamed.get()->json),
              R"({"model":"m","stream":true,"stream_options":{"include_usage":true},)"
              R"("messages":[{"role":"user","content":"Hi"}],"seed":7})");
    EXPECT_EQ(streamed.get()->flags, AIM_CHAT_STREAM);
}

// The usage is for the history, whatever the caller wants to see of it.
TEST(RequestViewTest, AStreamAlwaysAsksForItsUsage) {
    completion::ChatRequest request = Request();
    request.stream = true;
    request.include_usage = false;
    const RequestView view(request, "m", "\"m\"", "");
    EXPECT_NE(FromAbi(view.get()->json).find(R"("stream_options":{"include_usage":true})"),
              std::string::npos);
}

TEST(RequestViewTest, IsOneValidObjectAlsoForAModelWithQuotesAndWithoutMembers) {
    completion::ChatRequest request = Request();
    for (const bool with_members : {true, false}) {
        if (!with_members) request.members.clear();
        const RequestView view(request, "a\"b\\c\n", R"("a\"b\\c\n")", "");
        const auto document = json::Parse(FromAbi(view.get()->json));
        ASSERT_TRUE(document) << FromAbi(view.get()->json);
        EXPECT_EQ(document->root().Get("model").StringOr(""), "a\"b\\c\n");
        EXPECT_EQ(FromAbi(view.get()->model), "a\"b\\c\n");
        EXPECT_EQ(document->root().Get("seed").exists(), with_members);
    }
}

TEST(RequestViewTest, EachFactHasItsOwnFlag) {
    struct Case {
        bool completion::ChatRequest::*fact;
        uint32_t flag;
    };
    const Case cases[] = {
        {&completion::ChatRequest::stream, AIM_CHAT_STREAM},
        {&completion::ChatRequest::has_tools, AIM_CHAT_HAS_TOOLS},
        {&completion::ChatRequest::has_parts, AIM_CHAT_HAS_PARTS},
        {&completion::ChatRequest::has_tool_turns, AIM_CHAT_HAS_TOOL_TURNS},
        {&completion::ChatRequest::has_json_schema, AIM_CHAT_HAS_JSON_SCHEMA},
    };
    completion::ChatRequest all = Request();
    uint32_t flags = 0;
    for (const Case& c : cases) {
        completion::ChatRequest request = Request();
        request.*c.fact = true;
        all.*c.fact = true;
        flags |= c.flag;
        EXPECT_EQ(RequestView(request, "m", "\"m\"", "").get()->flags, c.flag);
    }
    EXPECT_EQ(RequestView(all, "m", "\"m\"", "").get()->flags, flags);
}

TEST(RequestViewTest, NumbersThatWereNotGivenAreMinusOneAndNotANumber) {
    completion::ChatRequest request = Request();
    {
        const RequestView view(request, "m", "\"m\"", "");
        EXPECT_EQ(view.get()->max_tokens, -1);
        EXPECT_TRUE(std::isnan(view.get()->temperature));
        EXPECT_TRUE(std::isnan(view.get()->top_p));
    }
    request.max_tokens = 0;
    request.temperature = 0;
    request.top_p = 0.25;
    const RequestView view(request, "m", "\"m\"", "");
    EXPECT_EQ(view.get()->max_tokens, 0);
    EXPECT_EQ(view.get()->temperature, 0);
    EXPECT_EQ(view.get()->top_p, 0.25);
}

TEST(RequestViewTest, MessagesGoByCountAndGetWithTheirRolesAndFlags) {
    struct Case {
        completion::ChatMessage message;
        int32_t role;
        uint32_t flags;
    };
    const Case cases[] = {
        {{Role::kSystem, false, false, "Be brief.", ""}, AIM_ROLE_SYSTEM, 0},
        {{Role::kDeveloper, false, false, "d", ""}, AIM_ROLE_DEVELOPER, 0},
        {{Role::kUser, true, false, "look", ""}, AIM_ROLE_USER, AIM_MESSAGE_HAS_PARTS},
        {{Role::kAssistant, false, true, "", ""}, AIM_ROLE_ASSISTANT, AIM_MESSAGE_HAS_TOOL_CALLS},
        {{Role::kTool, false, false, "7", "call_1"}, AIM_ROLE_TOOL, 0},
        {{Role::kOther, true, true, "both", ""},
         AIM_ROLE_OTHER,
         AIM_MESSAGE_HAS_PARTS | AIM_MESSAGE_HAS_TOOL_CALLS},
    };
    completion::ChatRequest request = Request();
    request.messages.clear();
    for (const Case& c : cases) request.messages.push_back(c.message);
    const RequestView owner(request, "m", "\"m\"", "");
    const aim_chat_request* const view = owner.get();
    ASSERT_EQ(view->message_count, std::size(cases));
    for (uint32_t i = 0; i < view->message_count; ++i) {
        SCOPED_TRACE(i);
        const aim_chat_message* const message = view->message(view, i);
        ASSERT_NE(message, nullptr);
        EXPECT_EQ(message->struct_size, sizeof(aim_chat_message));
        EXPECT_EQ(message->reserved, 0U);
        EXPECT_EQ(message->role, cases[i].role);
        EXPECT_EQ(message->flags, cases[i].flags);
        EXPECT_EQ(FromAbi(message->text), cases[i].message.text);
        EXPECT_EQ(FromAbi(message->tool_call_id), cases[i].message.tool_call_id);
        // The same pointer for as long as begin() runs, however often it is asked for.
        EXPECT_EQ(view->message(view, i), message);
    }
}

TEST(RequestViewTest, ThereIsNoMessageBeyondTheLastNorOfNobody) {
    const completion::ChatRequest request = Request();
    const RequestView owner(request, "m", "\"m\"", "");
    const aim_chat_request* const view = owner.get();
    EXPECT_NE(view->message(view, 0), nullptr);
    EXPECT_EQ(view->message(view, 1), nullptr);
    EXPECT_EQ(view->message(view, UINT32_MAX), nullptr);
    EXPECT_EQ(view->message(nullptr, 0), nullptr);
}

// Texts of megabytes are not copied for every attempt: the view borrows all but the JSON.
TEST(RequestViewTest, BorrowsTheTextsOfTheRequest) {
    completion::ChatRequest request = Request();
    request.messages[0].text.assign(1u << 20, 'x');
    const std::string model = "m";
    const std::string endpoint = "https://p.test/v1";
    const RequestView owner(request, model, "\"m\"", endpoint);
    const aim_chat_request* const view = owner.get();
    EXPECT_EQ(view->struct_size, sizeof(aim_chat_request));
    EXPECT_EQ(view->reserved, 0U);
    EXPECT_EQ(view->model.data, model.data());
    EXPECT_EQ(view->endpoint.data, endpoint.data());
    EXPECT_EQ(FromAbi(view->endpoint), endpoint);
    EXPECT_EQ(view->message(view, 0)->text.data, request.messages[0].text.data());
    EXPECT_EQ(view->message(view, 0)->text.size, 1u << 20);
}

// Two attempts at two models look at one request at the same time.
TEST(RequestViewTest, TwoViewsOfOneRequestKeepApart) {
    const completion::ChatRequest request = Request();
    const RequestView one(request, "one", "\"one\"", "http://one.test");
    const RequestView two(request, "two", "\"two\"", "http://two.test");
    EXPECT_TRUE(FromAbi(one.get()->json).starts_with(R"({"model":"one",)"));
    EXPECT_TRUE(FromAbi(two.get()->json).starts_with(R"({"model":"two",)"));
    EXPECT_NE(one.get()->message(one.get(), 0), two.get()->message(two.get(), 0));
    EXPECT_EQ(FromAbi(one.get()->message(one.get(), 0)->text), "Hi");
}

}  // namespace
}  // namespace aim::plugin
