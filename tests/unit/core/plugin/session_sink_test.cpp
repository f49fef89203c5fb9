// What the host's sink takes and how it repairs it (aim/abi/sink.h), through the table that a
// plugin is given.
#include "core/plugin/session_sink.hpp"

#include "tests/unit/core/plugin/sink_fixture.hpp"

namespace aim::plugin {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

TEST_F(SessionSinkTest, TheTableIsWholeAndTheSameForEveryCall) {
    EXPECT_EQ(table_->struct_size, sizeof(aim_sink));
    EXPECT_EQ(table_->reserved, 0U);
    const aim_sink* const first = table_;
    sink_->Close();
    Open();
    EXPECT_EQ(table_, first);
}

TEST_F(SessionSinkTest, OutputsAreCopiedInTheirOrder) {
    std::string text = "Hello";
    Text(text);
    text.assign("#####");
    Reasoning("because");
    table_->refusal(table_->context, 1, AbiText("no"));
    Call(0, "id1", "f", "{\"a\"");
    Extra("logprobs", "null", AIM_SCOPE_CHOICE);
    Finish(1, AIM_FINISH_CONTENT_FILTER);
    EXPECT_EQ(Told(batch_),
              "text0:Hello reasoning0:because refusal1:no call0.0:id1,f,{\"a\" "
              "extra1@0.0:logprobs=null finish1:content_filter");
    EXPECT_TRUE(batch_.has_content());
    EXPECT_EQ(sink_->misbehaviour(), 0);
}

TEST_F(SessionSinkTest, EmptyAndNullTextIsIgnored) {
    Text("");
    table_->text(table_->context, 0, {nullptr, 0});
    table_->text(table_->context, 0, {nullptr, 99});
    table_->reasoning(table_->context, 0, {nullptr, 0});
    EXPECT_EQ(Told(batch_), "");
    EXPECT_FALSE(batch_.has_content());
    EXPECT_EQ(sink_->misbehaviour(), 0);
}

// UTF-8 ---------------------------------------------------------------------------------------

TEST_F(SessionSinkTest, ACharacterMayComeInPiecesAlsoOverSeveralCalls) {
    const std::string_view smile = "\xF0\x9F\x98\x80";
    Text(smile.substr(0, 1));
    EXPECT_EQ(Told(batch_), "");
    Text(smile.substr(1, 2));
    sink_->Close();
    Open();
    Text(smile.substr(3));
    EXPECT_EQ(Told(batch_), "text0:" + std::string(smile));
}

// What is held back of one text is no part of another.
TEST_F(SessionSinkTest, PiecesOfDifferentTextsDoNotMeet) {
    const std::string_view letter = "\xC3\xB6";
    Text(letter.substr(0, 1), 0);
    Text(letter.substr(0, 1), 1);
    Reasoning(letter.substr(0, 1), 0);
    Text(letter.substr(1), 1);
    Text(letter.substr(1), 0);
    Reasoning(letter.substr(1), 0);
    EXPECT_EQ(Told(batch_), "text1:\xC3\xB6 text0:\xC3\xB6 reasoning0:\xC3\xB6");
}

TEST_F(SessionSinkTest, BytesThatAreNoTextBecomeTheReplacementCharacter) {
    Text(
        "a\xff"
        "b\xC0\xAF\xED\xA0\x80"
        "c");
    const std::string r(kReplacement);
    EXPECT_EQ(Told(batch_), "text0:a" + r + "b" + r + r + r + r + r + "c");
    EXPECT_EQ(sink_->misbehaviour(), 0);
}

TEST_F(SessionSinkTest, WhatIsUnfinishedAtTheFinishIsToldBeforeIt) {
    Text("a\xF0\x9F");
    Reasoning("b\xC3");
    Text("other\xC3", 1);
    Finish(0);
    const std::string r(kReplacement);
    EXPECT_EQ(Told(batch_),
              "text0:a reasoning0:b text1:other text0:" + r + " reasoning0:" + r + " finish0:stop");
}

TEST_F(SessionSinkTest, TextsOfToolCallsAreCleanEachByItself) {
    Call(0, "i\xff", "n\xff", "{\"\xff\":1}");
    const std::string r(kReplacement);
    EXPECT_EQ(Told(batch_), "call0.0:i" + r + ",n" + r + ",{\"" + r + "\":1}");
}

// Tool calls ----------------------------------------------------------------------------------

TEST_F(SessionSinkTest, IdAndNameOfACallAreGivenOnce) {
    Call(0, "a", "f", "{");
    Call(1, "b", "g", "");
    Call(0, "a", "f", "}");
    Call(1, "", "", "{}");
    Call(0, "c", "h", "", 1);  // of another choice: a call of its own
    EXPECT_EQ(Told(batch_), "call0.0:a,f,{ call0.1:b,g, call0.0:,,} call0.1:,,{} call1.0:c,h,");
}

TEST_F(SessionSinkTest, ACallWithoutAnIdGetsOneThatTheSeedDecides) {
    const auto id_of = [](SessionSink& sink, uint32_t choice, uint32_t index, aim_str id) {
        completion::DeltaBatch batch;
        const aim_sink* const table = sink.Open(&batch);
        table->tool_call(table->context, choice, index, id, AbiText("f"), AbiText("{}"));
        sink.Close();
        return batch.size() == 1 ? std::string(batch[0].id) : std::string();
    };
    SessionSink same(7);
    SessionSink other(8);
    const std::string id = id_of(*sink_, 0, 0, {nullptr, 0});
    EXPECT_EQ(id.size(), 29U);
    EXPECT_TRUE(id.starts_with("call_"));
    EXPECT_EQ(id_of(same, 0, 0, AbiText("")), id);
    EXPECT_NE(id_of(other, 0, 0, AbiText("")), id);
    const std::string second = id_of(*sink_, 0, 1, AbiText(""));
    const std::string of_choice = id_of(*sink_, 1, 0, {nullptr, 4});  // a null text has no size
    EXPECT_NE(second, id);
    EXPECT_NE(of_choice, id);
    EXPECT_NE(of_choice, second);
    EXPECT_TRUE(of_choice.starts_with("call_"));
}

TEST_F(SessionSinkTest, IdAndNameAreCutAt256BytesWithoutCuttingACharacter) {
    const std::string letters = "x" + [] {
        std::string text;
        for (int i = 0; i < 200; ++i) text += "\xC3\xB6";
        return text;
    }();
    Call(0, letters, letters, "");
    ASSERT_EQ(batch_.size(), 1U);
    EXPECT_EQ(batch_[0].id, letters.substr(0, 255));
    EXPECT_EQ(batch_[0].name, letters.substr(0, 255));
}

TEST_F(SessionSinkTest, ThereAreAtMost1024ToolCalls) {
    for (uint32_t i = 0; i < 1024; ++i) Call(i, "i", "f", "");
    ASSERT_EQ(batch_.size(), 1024U);
    EXPECT_EQ(sink_->misbehaviour(), 0);
    Call(1024, "i", "f", "");
    EXPECT_EQ(batch_.size(), 1024U);
    EXPECT_EQ(sink_->misbehaviour(), 1);
    Call(3, "", "", "more");  // those that there are go on
    EXPECT_EQ(batch_.size(), 1025U);
}

// Finish --------------------------------------------------------------------------------------

TEST_F(SessionSinkTest, AnUnknownReasonIsStop) {
    struct Case {
        int32_t reason;
        const char* name;
    };
    const Case cases[] = {{AIM_FINISH_STOP, "stop"},
                          {AIM_FINISH_LENGTH, "length"},
                          {AIM_FINISH_TOOL_CALLS, "tool_calls"},
                          {AIM_FINISH_CONTENT_FILTER, "content_filter"},
                          {0, "stop"},
                          {5, "stop"},
                          {-1, "stop"},
                          {INT32_MAX, "stop"}};
    EXPECT_FALSE(sink_->finished());
    uint32_t choice = 0;
    for (const Case& c : cases) {
        Open();
        Finish(choice, c.reason);
        EXPECT_EQ(Told(batch_), "finish" + std::to_string(choice) + ":" + c.name) << c.reason;
        ++choice;
    }
    EXPECT_TRUE(sink_->finished());
    EXPECT_EQ(sink_->misbehaviour(), 0);
}

TEST_F(SessionSinkTest, AChoiceFinishesOnce) {
    Finish(0, AIM_FINISH_LENGTH);
    Finish(1, AIM_FINISH_STOP);
    sink_->Close();
    Open();
    Finish(0, AIM_FINISH_STOP);
    ExpectInvalid("a second finish");
    EXPECT_TRUE(sink_->finished());
}

TEST_F(SessionSinkTest, ChoicesWithoutEndAreNotFollowed) {
    for (uint32_t i = 0; i < 128; ++i) {
        Text("t", i);
        Finish(i);
    }
    EXPECT_EQ(sink_->misbehaviour(), 0);
    EXPECT_EQ(batch_.size(), 256U);
    Finish(4'000'000'000U);
    EXPECT_EQ(sink_->misbehaviour(), 1);
    // Three kinds of text for each of 128 choices.
    for (uint32_t i = 128; i < 128 * 3; ++i) Text("t", i);
    EXPECT_EQ(sink_->misbehaviour(), 1);
    Text("t", 4'000'000'000U);
    EXPECT_EQ(sink_->misbehaviour(), 2);
}

// Usage ---------------------------------------------------------------------------------------

TEST_F(SessionSinkTest, UsageIsCumulativeAndMinusOneLeavesWhatWasSaid) {
    EXPECT_FALSE(batch_.has_usage());
    Give(Usage(12, -1, R"({"prompt_tokens":12})"));
    Give(Usage(-1, 9));
    Give(Usage(-1, 10));
    ASSERT_TRUE(batch_.has_usage());
    EXPECT_EQ(batch_.usage().prompt_tokens, 12);
    EXPECT_EQ(batch_.usage().completion_tokens, 10);
    EXPECT_FALSE(batch_.usage().total_tokens);
    EXPECT_FALSE(batch_.usage().cached_tokens);
    EXPECT_EQ(batch_.usage().json, R"({"prompt_tokens":12})");
    Give(Usage(0, -1));  // which is not the same as -1
    EXPECT_EQ(batch_.usage().prompt_tokens, 0);
    EXPECT_EQ(batch_.size(), 0U);
    EXPECT_FALSE(batch_.has_content());
}

TEST_F(SessionSinkTest, EachCountHasItsPlace) {
    aim_usage usage = Usage(1, 2);
    usage.total_tokens = 3;
    usage.cached_tokens = 4;
    usage.cache_write_tokens = 5;
    usage.reasoning_tokens = 6;
    Give(usage);
    EXPECT_EQ(batch_.usage().prompt_tokens, 1);
    EXPECT_EQ(batch_.usage().completion_tokens, 2);
    EXPECT_EQ(batch_.usage().total_tokens, 3);
    EXPECT_EQ(batch_.usage().cached_tokens, 4);
    EXPECT_EQ(batch_.usage().cache_write_tokens, 5);
    EXPECT_EQ(batch_.usage().reasoning_tokens, 6);
}

TEST_F(SessionSinkTest, OnlyAnObjectStandsBesideTheCounts) {
    std::string large = R"({"a":")" + std::string(16 * 1024, 'x') + "\"}";
    const std::string deep = std::string(70, '[') + std::string(70, ']');
    for (const std::string& json :
         {std::string("{"), std::string("7"), std::string("[{}]"), std::string("\"{}\""),
          std::string("{}x"), std::string("  "), "{\"a\":" + deep + "}",
          std::string("{\"a\":\"\xff\"}"), large}) {
        Open();
        Give(Usage(1, 1, json));
        EXPECT_EQ(batch_.usage().prompt_tokens, 1) << json.substr(0, 40);
        EXPECT_EQ(batch_.usage().json, "") << json.substr(0, 40);
    }
    Open();
    Give(Usage(1, 1, R"( {"a":1,"a":2})"));  // the provider's own affair
    EXPECT_EQ(batch_.usage().json, R"( {"a":1,"a":2})");
    EXPECT_EQ(sink_->misbehaviour(), 0);
}

// A member is looked at only when struct_size covers it.
TEST_F(SessionSinkTest, AUsageThatDoesNotSayItsSizeIsNotRead) {
    aim_usage usage = Usage(1, 2);
    usage.struct_size = sizeof usage - 1;
    Give(usage);
    ExpectInvalid("usage whose struct_size");
}

TEST_F(SessionSinkTest, ALargerStructOfALaterAbiIsRead) {
    struct Later {
        aim_usage usage;
        int64_t more;
    } later{Usage(1, 2), 3};
    later.usage.struct_size = sizeof later;
    table_->usage(table_->context, &later.usage);
    EXPECT_EQ(batch_.usage().completion_tokens, 2);
    table_->usage(table_->context, nullptr);
    EXPECT_EQ(sink_->misbehaviour(), 0);
}

// Extra ---------------------------------------------------------------------------------------

TEST_F(SessionSinkTest, ExtrasGoWhereTheirScopeSays) {
    table_->extra(table_->context, AIM_SCOPE_RESPONSE, 0, 0, AbiText("a"), AbiText("1"));
    table_->extra(table_->context, AIM_SCOPE_CHOICE, 1, 0, AbiText("b"), AbiText("[]"));
    table_->extra(table_->context, AIM_SCOPE_MESSAGE, 2, 0, AbiText("c"), AbiText("\"x\""));
    table_->extra(table_->context, AIM_SCOPE_TOOL_CALL, 0, 3, AbiText("d"), AbiText(" {} "));
    EXPECT_EQ(Told(batch_), "extra0@0.0:a=1 extra1@1.0:b=[] extra2@2.0:c=\"x\" extra3@0.3:d= {} ");
    EXPECT_FALSE(batch_.has_content());
}

// A stream passes each on; in a whole answer the last one stands (delta_accumulator_test).
TEST_F(SessionSinkTest, TheSameNameAgainIsHandedOnAgain) {
    Extra("a", "1");
    Extra("a", "2");
    EXPECT_EQ(Told(batch_), "extra0@0.0:a=1 extra0@0.0:a=2");
}

TEST_F(SessionSinkTest, UnknownScopesAndImpossibleNamesAreIgnored) {
    for (const int32_t scope : {-1, 4, INT32_MIN, INT32_MAX}) Extra("a", "1", scope);
    Extra("", "1");
    Extra(std::string(129, 'n'), "1");
    table_->extra(table_->context, 0, 0, 0, {nullptr, 3}, AbiText("1"));
    EXPECT_EQ(Told(batch_), "");
    EXPECT_EQ(sink_->misbehaviour(), 0);
    Extra(std::string(128, 'n'), "1");
    EXPECT_EQ(batch_.size(), 1U);
}

TEST_F(SessionSinkTest, AnExtraThatIsNoJsonValueIsCounted) {
    for (const std::string_view json : {"", "{", "1 2", "nul", "'a'", "\"\xff\"", "01", "[1,]"}) {
        Extra("a", json);
        EXPECT_EQ(Told(batch_), "") << json;
    }
    EXPECT_EQ(sink_->misbehaviour(), 8);
    EXPECT_EQ(Counted(Misbehaviour::kInvalidOutput), 8U);
    table_->extra(table_->context, 0, 0, 0, AbiText("a"), {nullptr, 3});
    EXPECT_EQ(sink_->misbehaviour(), 9);
}

// Errors and waits ----------------------------------------------------------------------------

TEST_F(SessionSinkTest, TheFirstErrorCountsAndIsCopied) {
    std::string message = "slow down, please, for a while";
    aim_error error = AnError(AIM_ERROR_RATE_LIMITED, message);
    error.upstream_status = 429;
    error.retry_after_ms = 7000;
    error.code = AbiText("rate_limit_exceeded");
    error.field = AbiText("messages");
    EXPECT_FALSE(sink_->has_error());
    Give(error);
    message.assign("########");
    Give(AnError(AIM_ERROR_INTERNAL, "another"));
    ASSERT_TRUE(sink_->has_error());
    EXPECT_EQ(sink_->error().kind, ErrorKind::kRateLimited);
    EXPECT_EQ(sink_->error().message, "slow down, please, for a while");
    EXPECT_EQ(sink_->error().code, "rate_limit_exceeded");
    EXPECT_EQ(sink_->error().field, "messages");
    EXPECT_EQ(sink_->error().upstream_status, 429);
    EXPECT_EQ(sink_->error().retry_after, std::chrono::milliseconds(7000));
    EXPECT_EQ(sink_->misbehaviour(), 0);
}

TEST_F(SessionSinkTest, UnknownKindsAreInternalAndNoHintIsNone) {
    for (const int32_t kind : {0, -1, 16, INT32_MAX, INT32_MIN}) {
        SessionSink sink;
        const aim_sink* const table = sink.Open();
        const aim_error error = AnError(kind, "");
        table->error(table->context, &error);
        ASSERT_TRUE(sink.has_error());
        EXPECT_EQ(sink.error().kind, ErrorKind::kInternal) << kind;
        EXPECT_FALSE(sink.error().retry_after);
    }
}

TEST_F(SessionSinkTest, AMessageIsCutAt4KiBBetweenCharactersAndRepaired) {
    struct Case {
        std::string given;
        std::string kept;
    };
    const std::string most(4096, 'x');
    const std::string nearly(4095, 'x');
    std::string bad;
    for (int i = 0; i < 4096; ++i) bad += '\xff';
    std::string replaced;
    for (int i = 0; i < 1365; ++i) replaced += kReplacement;
    const Case cases[] = {
        {most, most},
        {most + "y", most},
        {nearly + "\xC3\xB6", nearly},  // no half character
        {"a\xff", "a" + std::string(kReplacement)},
        {bad, replaced},  // repaired it is longer, and still bounded
    };
    for (const Case& c : cases) {
        SessionSink sink;
        const aim_sink* const table = sink.Open();
        aim_error error = AnError(AIM_ERROR_INTERNAL, c.given);
        error.code = AbiText(c.given);
        error.field = AbiText(c.given);
        table->error(table->context, &error);
        EXPECT_EQ(sink.error().message, c.kept);
        EXPECT_LE(sink.error().code.size(), 128U);
        EXPECT_LE(sink.error().field.size(), 128U);
        EXPECT_TRUE(IsValidUtf8(sink.error().code));
    }
}

TEST_F(SessionSinkTest, AnErrorThatDoesNotSayItsSizeIsNotRead) {
    aim_error error = AnError(AIM_ERROR_RATE_LIMITED, "x");
    error.struct_size = 0;
    Give(error);
    table_->error(table_->context, nullptr);
    EXPECT_FALSE(sink_->has_error());
    ExpectInvalid("error whose struct_size");
}

TEST_F(SessionSinkTest, AWaitIsCutAtAMinute) {
    struct Case {
        uint64_t told;
        int64_t kept;
    };
    for (const Case& c : {Case{0, 0}, Case{1500, 1500}, Case{60'000, 60'000}, Case{60'001, 60'000},
                          Case{UINT64_MAX, 60'000}}) {
        table_->wait(table_->context, c.told);
        EXPECT_EQ(sink_->wait().count(), c.kept);
    }
}

// Where there is no batch, only errors are taken (and waits): a provider's create.
TEST_F(SessionSinkTest, ACallThatTakesNoOutputTakesOnlyItsError) {
    table_ = sink_->Open();
    Text("x");
    Call(0, "i", "f", "");
    Finish();
    Extra("a", "1");
    Give(Usage(1, 1));
    EXPECT_EQ(sink_->misbehaviour(), 5);
    EXPECT_FALSE(sink_->finished());
    Give(AnError(AIM_ERROR_FORBIDDEN, "no"));
    EXPECT_EQ(sink_->error().kind, ErrorKind::kForbidden);
    EXPECT_EQ(sink_->misbehaviour(), 5);
    EXPECT_EQ(Told(batch_), "");
}

}  // namespace
}  // namespace aim::plugin
