#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aim/sdk/json.hpp"
#include "aim/sdk/views.hpp"
#include "tests/support/plugin_driver/plugin_driver.hpp"

namespace aim::plugin_driver {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const Plugin& Mock() {
    static const Plugin plugin(AIM_MOCK_PLUGIN);
    return plugin;
}

constexpr char kPlain[] =
    R"({"model":"mock-fast","stream":false,"messages":[{"role":"user","content":"What is a qubit?"}]})";
constexpr char kStream[] =
    R"({"model":"mock-fast","stream":true,"messages":[{"role":"user","content":"What is a qubit?"}]})";

Result Play(const std::string& row_settings, const char* request = kPlain, std::uint64_t seed = 1) {
    Options options;
    options.row_settings = row_settings;
    options.seed = seed;
    Result result = RunChat(Mock(), request, {}, options);
    for (const std::string& event : result.events) {
        EXPECT_NE(event.rfind("misbehaviour", 0), 0U) << event;
    }
    EXPECT_TRUE(result.sent.empty()) << "the mock sends no requests";
    return result;
}

std::size_t CountStarting(const Result& result, const std::string& start) {
    return static_cast<std::size_t>(
        std::count_if(result.events.begin(), result.events.end(),
                      [&](const std::string& event) { return event.rfind(start, 0) == 0; }));
}

TEST(Mock, NamesTheModelAndRepeatsThePrompt) {
    const Result result = Play("{}");
    EXPECT_THAT(result.text, HasSubstr("mock-fast"));
    EXPECT_THAT(result.text, HasSubstr("\"What is a qubit?\""));
    EXPECT_EQ(CountStarting(result, "text"), 1U);
    EXPECT_EQ(result.events.back(), "done");
    EXPECT_EQ(result.waited_ms, 0U);
}

TEST(Mock, RepeatsOnlyTheBeginningOfALongPrompt) {
    std::string prompt;
    for (int i = 0; i < 1000; ++i) {
        prompt += "ä€😀";
    }
    const std::string request =
        R"({"model":"m","messages":[{"role":"user","content":")" + prompt + "\"}]}";
    const Result result = Play("{}", request.c_str());
    EXPECT_LT(result.text.size(), 250U);
    // Cut between characters: what comes before the ellipsis is a prefix of whole ones.
    const std::size_t start = result.text.find("ä");
    const std::size_t end = result.text.find("…");
    ASSERT_NE(start, std::string::npos);
    ASSERT_NE(end, std::string::npos);
    const std::string excerpt = result.text.substr(start, end - start);
    EXPECT_EQ(prompt.rfind(excerpt, 0), 0U);
    EXPECT_NE(static_cast<unsigned char>(prompt[excerpt.size()]) & 0xC0, 0x80);
}

TEST(Mock, CountsWordsAsTokens) {
    const Result result = Play(R"({"answer_text":"one two  three"})");
    EXPECT_THAT(result.events, ElementsAre("text 0 \"one two  three\"", "finish 0 stop",
                                           "usage prompt=4 completion=3 total=7", "done"));
}

TEST(Mock, StreamsWordByWord) {
    const Result result = Play(R"({"answer_text":"one two\n three "})", kStream);
    EXPECT_THAT(result.events,
                ElementsAre("text 0 \"one\"", "text 0 \" two\"", "text 0 \"\\n three \"",
                            "finish 0 stop", "usage prompt=4 completion=3 total=7", "done"));
}

TEST(Mock, KeepsThePaceOfTokens) {
    const Result result =
        Play(R"({"answer_text":"a b c","tokens_per_second":50,"latency_ms":100})", kStream);
    EXPECT_THAT(result.events, ElementsAre("wait 100", "text 0 \"a\"", "wait 20", "text 0 \" b\"",
                                           "wait 20", "text 0 \" c\"", "finish 0 stop",
                                           "usage prompt=4 completion=3 total=7", "done"));
}

TEST(Mock, CatchesUpWhenSeveralTokensAreDue) {
    const Result result = Play(R"({"answer_tokens":100,"tokens_per_second":4000})", kStream);
    EXPECT_EQ(CountStarting(result, "text"), 100U);
    EXPECT_NEAR(static_cast<double>(result.waited_ms), 25, 1);
}

TEST(Mock, AClockThatStandsStillDoesNotStopIt) {
    Options options;
    options.row_settings = R"({"answer_tokens":5,"tokens_per_second":10})";
    options.clock_stands_still = true;
    const Result result = RunChat(Mock(), kStream, {}, options);
    EXPECT_EQ(CountStarting(result, "text"), 5U);
    EXPECT_EQ(result.events.back(), "done");
}

TEST(Mock, WaitsTheWholeTimeWhenNotStreamed) {
    const Result result =
        Play(R"({"answer_text":"a b c","tokens_per_second":50,"latency_ms":100})");
    EXPECT_THAT(result.events, ElementsAre("wait 140", "text 0 \"a b c\"", "finish 0 stop",
                                           "usage prompt=4 completion=3 total=7", "done"));
}

TEST(Mock, ALongLatencyIsWaitedForInPieces) {
    const Result result = Play(R"({"latency_ms":150000,"answer_text":"a"})");
    EXPECT_THAT(result.events,
                ElementsAre("wait 60000", "wait 60000", "wait 30000", "text 0 \"a\"",
                            "finish 0 stop", "usage prompt=4 completion=1 total=5", "done"));
}

TEST(Mock, AddsJitterToTheLatency) {
    std::uint64_t least = 1'000'000;
    std::uint64_t most = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        const Result result = Play(R"({"latency_ms":100,"jitter_ms":50})", kPlain, seed);
        least = std::min(least, result.waited_ms);
        most = std::max(most, result.waited_ms);
    }
    EXPECT_GE(least, 100U);
    EXPECT_LE(least, 105U);
    EXPECT_LE(most, 150U);
    EXPECT_GE(most, 145U);
}

TEST(Mock, PadsAndCutsTheAnswer) {
    EXPECT_EQ(Play(R"({"answer_text":"a b","answer_tokens":5})").text, "a b a b a");
    EXPECT_EQ(Play(R"({"answer_text":"a b c","answer_tokens":2})").text, "a b");
    EXPECT_EQ(Play(R"({"answer_text":"","answer_tokens":2})").text, "mock mock");
    EXPECT_EQ(Play(R"({"answer_tokens":0})").text, "");
    EXPECT_THAT(Play(R"({"answer_tokens":40})").events,
                testing::Contains("usage prompt=4 completion=40 total=44"));
}

TEST(Mock, MaxTokensCutsWithFinishLength) {
    const char* request =
        R"({"model":"m","max_tokens":2,"messages":[{"role":"user","content":"Hi"}]})";
    EXPECT_THAT(Play(R"({"answer_text":"a b c"})", request).events,
                ElementsAre("text 0 \"a b\"", "finish 0 length",
                            "usage prompt=1 completion=2 total=3", "done"));
}

TEST(Mock, FailsAtItsErrorRate) {
    int failures = 0;
    for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
        failures += Play(R"({"error_rate":0.3})", kPlain, seed).events.back() == "failed" ? 1 : 0;
    }
    EXPECT_NEAR(failures, 600, 80);  // four standard deviations
    EXPECT_EQ(Play(R"({"error_rate":0})").events.back(), "done");
    EXPECT_EQ(Play(R"({"error_rate":1})").events.back(), "failed");
}

TEST(Mock, WithASeedTheDrawsDependOnSeedAndPromptOnly) {
    const std::string settings = R"({"error_rate":0.5,"jitter_ms":1000,"seed":7})";
    const Result first = Play(settings, kPlain, 1);
    for (std::uint64_t host_seed = 2; host_seed <= 20; ++host_seed) {
        const Result again = Play(settings, kPlain, host_seed);
        EXPECT_EQ(again.events, first.events);
    }
    // Another model and streaming draw the same; other prompts and other seeds draw differently.
    EXPECT_EQ(Play(settings, kStream).events.front(), first.events.front());
    int failures_by_prompt = 0;
    int failures_by_seed = 0;
    for (int i = 0; i < 100; ++i) {
        const std::string request =
            R"({"model":"m","messages":[{"role":"user","content":"p)" + std::to_string(i) + "\"}]}";
        failures_by_prompt += Play(settings, request.c_str()).events.back() == "failed" ? 1 : 0;
        const std::string other = R"({"error_rate":0.5,"seed":)" + std::to_string(i) + "}";
        failures_by_seed += Play(other).events.back() == "failed" ? 1 : 0;
    }
    EXPECT_NEAR(failures_by_prompt, 50, 20);
    EXPECT_NEAR(failures_by_seed, 50, 20);
}

TEST(Mock, FailsAsAnyKindAfterTheLatency) {
    for (const char* kind :
         {"invalid_request", "unauthenticated", "forbidden", "quota_exhausted", "model_not_found",
          "rate_limited", "context_too_long", "content_filtered", "overloaded", "upstream_failure",
          "upstream_timeout", "protocol_error", "unsupported", "cancelled", "internal"}) {
        const Result result =
            Play(R"({"error_rate":1,"latency_ms":30,"error_kind":")" + std::string(kind) + "\"}",
                 kStream);
        ASSERT_EQ(result.events.size(), 3U);
        EXPECT_EQ(result.events[0], "wait 30");
        EXPECT_THAT(result.events[1], StartsWith("error " + std::string(kind)));
        EXPECT_EQ(result.events[2], "failed");
    }
    EXPECT_THAT(Play(R"({"error_rate":1})").events[0],
                StartsWith("error upstream_failure status=500"));
}

TEST(Mock, StallsForEver) {
    const Result result = Play(R"({"answer_text":"a b c","stall_after_tokens":2})", kStream);
    EXPECT_EQ(result.text, "a b");
    EXPECT_EQ(result.events.back(), "gave_up");
    EXPECT_GT(CountStarting(result, "wait 60000"), 5U);
    // Before the first token, at the last one, and in an unstreamed answer, which shows nothing.
    EXPECT_EQ(Play(R"({"stall_after_tokens":0})", kStream).text, "");
    EXPECT_EQ(Play(R"({"answer_text":"a","stall_after_tokens":1})", kStream).events.back(),
              "gave_up");
    EXPECT_EQ(Play(R"({"answer_text":"a b","stall_after_tokens":1})").text, "");
    // Of a shorter answer nothing is left to stall.
    EXPECT_EQ(Play(R"({"answer_text":"a","stall_after_tokens":2})", kStream).events.back(), "done");
}

TEST(Mock, CutsItsAnswer) {
    const Result result = Play(R"({"answer_text":"a b c","cut_after_tokens":2})", kStream);
    ASSERT_EQ(result.events.size(), 4U);
    EXPECT_EQ(result.text, "a b");
    EXPECT_THAT(result.events[2], StartsWith("error upstream_failure code=mock_cut"));
    const Result whole = Play(R"({"answer_text":"a b c","cut_after_tokens":2})");
    EXPECT_EQ(whole.text, "");
    EXPECT_EQ(whole.events.back(), "failed");
    EXPECT_EQ(Play(R"({"answer_text":"a","cut_after_tokens":2})", kStream).events.back(), "done");
}

TEST(Mock, CallsTheToolThatIsAskedFor) {
    const char* required =
        R"({"model":"m","tool_choice":"required","tools":[{"type":"function","function":{"name":"weather"}}],"messages":[{"role":"user","content":"Hi"}]})";
    const char* named =
        R"({"model":"m","tool_choice":{"type":"function","function":{"name":"time"}},"tools":[{"type":"function","function":{"name":"weather"}},{"type":"function","function":{"name":"time"}}],"messages":[{"role":"user","content":"Hi"}]})";
    const char* free_choice =
        R"({"model":"m","tools":[{"type":"function","function":{"name":"weather"}}],"messages":[{"role":"user","content":"Hi"}]})";
    EXPECT_THAT(Play("{}", required).events,
                ElementsAre("tool 0 0 name=weather args=\"{}\"", "finish 0 tool_calls",
                            "usage prompt=1 completion=1 total=2", "done"));
    EXPECT_EQ(Play("{}", named).events[0], "tool 0 0 name=time args=\"{}\"");
    EXPECT_EQ(CountStarting(Play("{}", free_choice), "text"), 1U);
}

TEST(Mock, AnswersInJsonWhenAsked) {
    for (const char* type : {"json_object", "json_schema"}) {
        const std::string request = R"({"model":"m","stream":true,"response_format":{"type":")" +
                                    std::string(type) +
                                    R"("},"messages":[{"role":"user","content":"say \"x\\y\""}]})";
        sdk::JsonDocument document;
        const Result result = Play("{}", request.c_str());
        ASSERT_TRUE(document.Parse(result.text)) << result.text;
        EXPECT_THAT(std::string(document.Root()["answer"].Text()), HasSubstr("mock model"));
    }
}

TEST(Mock, ToleratesForeignSettings) {
    EXPECT_EQ(
        Play(
            R"({"connect_timeout_ms":5,"first_content_timeout_ms":5,"between_content_timeout_ms":5,"attempt_timeout_ms":5,"health_check":false,"health_check_max_tokens":5,"another_plugins":{"x":1},"latency_ms":null})")
            .events.back(),
        "done");
}

TEST(Mock, RefusesBadSettingsByName) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"latency_ms":-1})", "latency_ms"},
        {R"({"latency_ms":"5"})", "latency_ms"},
        {R"({"latency_ms":1.5})", "latency_ms"},
        {R"({"latency_ms":1e300})", "latency_ms"},
        {R"({"jitter_ms":true})", "jitter_ms"},
        {R"({"error_rate":1.01})", "error_rate"},
        {R"({"error_rate":-0.1})", "error_rate"},
        {R"({"error_rate":"0.5"})", "error_rate"},
        {R"({"error_kind":"boom"})", "error_kind"},
        {R"({"error_kind":7})", "error_kind"},
        {R"({"tokens_per_second":-1})", "tokens_per_second"},
        {R"({"answer_tokens":1000001})", "answer_tokens"},
        {R"({"answer_text":5})", "answer_text"},
        {R"({"stall_after_tokens":[]})", "stall_after_tokens"},
        {R"({"cut_after_tokens":{}})", "cut_after_tokens"},
        {R"({"seed":-1})", "seed"},
        {R"([])", "settings"},
        {R"({"latency_ms":)", "settings"},
    };
    for (const auto& [settings, field] : cases) {
        const Result result = Play(settings);
        ASSERT_EQ(result.events.size(), 2U) << settings;
        EXPECT_THAT(result.events[0],
                    StartsWith("error invalid_request code=invalid_setting field=" +
                               std::string(field) + " "));
        EXPECT_EQ(result.events[1], "not_created");
    }
}

TEST(Mock, DescribesItself) {
    const aim_descriptor& descriptor = Mock().Descriptor();
    EXPECT_EQ(sdk::View(descriptor.provider_id), "mock");
    EXPECT_EQ(descriptor.alias_count, 0U);
    EXPECT_EQ(descriptor.setting_count, 0U);
    sdk::JsonDocument schema;
    ASSERT_TRUE(schema.Parse(sdk::View(descriptor.row_settings_schema)));
    EXPECT_TRUE(schema.Root()["properties"]["latency_ms"]);
}

Result Embed(const std::string& request, const std::string& row_settings = "{}",
             std::uint64_t seed = 1) {
    Options options;
    options.row_settings = row_settings;
    options.seed = seed;
    return RunEmbeddings(Mock(), request, {}, options);
}

TEST(MockEmbeddings, AreUnitVectorsOfTheWords) {
    const Result result =
        Embed(R"({"model":"m","input":["red red","red","  ",""],"dimensions":8})");
    ASSERT_EQ(result.events.size(), 6U);
    // Scaled to length 1, so that a word said twice is the word.
    EXPECT_EQ(result.events[0].substr(9), result.events[1].substr(9));
    EXPECT_EQ(result.events[2], "vector 2 [1,0,0,0,0,0,0,0]");
    EXPECT_EQ(result.events[3], "vector 3 [1,0,0,0,0,0,0,0]");
    EXPECT_EQ(result.events[4], "usage prompt=3 total=3");
    EXPECT_EQ(result.events[5], "done");
    EXPECT_EQ(
        result.events,
        Embed(R"({"model":"m","input":["red red","red","  ",""],"dimensions":8})", "{}", 2).events);
}

TEST(MockEmbeddings, TakeTokenIds) {
    const Result one = Embed(R"({"model":"m","input":[5,6],"dimensions":4})");
    const Result two = Embed(R"({"model":"m","input":[[5,6],[7]],"dimensions":4})");
    ASSERT_EQ(one.events.size(), 3U);
    ASSERT_EQ(two.events.size(), 4U);
    EXPECT_EQ(one.events[0], two.events[0]);
    EXPECT_EQ(one.events[1], "usage prompt=2 total=2");
}

TEST(MockEmbeddings, PlayFaultsAndLatencyAsChatsDo) {
    const Result failed = Embed(R"({"model":"m","input":"a"})",
                                R"({"error_rate":1,"error_kind":"overloaded","latency_ms":30})");
    EXPECT_THAT(failed.events,
                ElementsAre("wait 30", StartsWith("error overloaded status=503"), "failed"));
    const Result odd = Embed(R"({"model":"m","input":"a","dimensions":70000})");
    EXPECT_THAT(odd.events, ElementsAre(HasSubstr("field=dimensions"), "failed"));
}

}  // namespace
}  // namespace aim::plugin_driver
