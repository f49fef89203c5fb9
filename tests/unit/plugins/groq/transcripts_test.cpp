#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/plugin_driver/plugin_driver.hpp"
#include "tests/support/plugin_driver/transcript.hpp"

namespace aim::plugin_driver {
namespace {

const Plugin& Groq() {
    static const Plugin plugin(AIM_GROQ_PLUGIN);
    return plugin;
}

const std::vector<Transcript>& All() {
    static const std::vector<Transcript> all =
        ReadTranscripts(AIM_SOURCE_DIR "/tests/plugins/groq/transcripts");
    return all;
}

Result Play(const Transcript& transcript, Splitter splitter) {
    Options options;
    options.splitter = std::move(splitter);
    return RunChat(Groq(), transcript.request, {transcript.answer}, options);
}

std::vector<Transcript> WithSent() {
    std::vector<Transcript> some;
    for (const Transcript& transcript : All()) {
        if (!transcript.sent.empty()) {
            some.push_back(transcript);
        }
    }
    return some;
}

class GroqTranscript : public testing::TestWithParam<Transcript> {};
class GroqRequest : public testing::TestWithParam<Transcript> {};

TEST_P(GroqRequest, IsWhatWasRecorded) {
    const Result result = Play(GetParam(), Whole());
    ASSERT_EQ(result.sent.size(), 1U);
    EXPECT_EQ(Describe(result.sent[0]), GetParam().sent);
}

TEST_P(GroqTranscript, UnderstandsTheWholeAnswer) {
    EXPECT_THAT(Play(GetParam(), Whole()).events, testing::ElementsAreArray(GetParam().events));
}

TEST_P(GroqTranscript, UnderstandsItByteByByte) {
    EXPECT_THAT(Play(GetParam(), ByteByByte()).events,
                testing::ElementsAreArray(GetParam().events));
}

TEST_P(GroqTranscript, UnderstandsItAtRandomSplits) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        ASSERT_THAT(Play(GetParam(), Randomly(seed)).events,
                    testing::ElementsAreArray(GetParam().events))
            << "seed " << seed;
    }
}

// Wherever the connection breaks, a part of an answer is never taken for an answer, and nothing
// that the plugin says is against the rules.
TEST_P(GroqTranscript, CutAnywhereIsNeverASuccess) {
    const std::string& body = GetParam().answer.body;
    const std::size_t done = body.find("data: [DONE]");
    for (std::size_t size = 0; size < std::min(body.size(), done); ++size) {
        Transcript cut = GetParam();
        cut.answer.body.resize(size);
        cut.answer.ending = AIM_END_TRUNCATED;
        const Result result = Play(cut, Whole());
        ASSERT_EQ(result.events.back(), "failed") << "cut after " << size << " bytes";
        for (const std::string& event : result.events) {
            ASSERT_NE(event.rfind("misbehaviour", 0), 0U) << event << " at " << size;
        }
    }
}

// With any byte changed the session still ends by the rules.
TEST_P(GroqTranscript, ChangedBytesBreakNoRule) {
    constexpr std::string_view kOthers("\0\"}\\\xff", 5);
    for (std::size_t at = 0; at < GetParam().answer.body.size(); ++at) {
        Transcript changed = GetParam();
        changed.answer.body[at] = kOthers[at % kOthers.size()];
        const Result result = Play(changed, Whole());
        for (const std::string& event : result.events) {
            ASSERT_NE(event.rfind("misbehaviour", 0), 0U) << event << " at " << at;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Recorded, GroqTranscript, testing::ValuesIn(All()),
                         [](const auto& tested) { return "T" + tested.param.name; });

INSTANTIATE_TEST_SUITE_P(Recorded, GroqRequest, testing::ValuesIn(WithSent()),
                         [](const auto& tested) { return "T" + tested.param.name; });

TEST(GroqTranscripts, AreAllThere) { EXPECT_GE(All().size(), 12U); }

TEST(GroqSession, KeepsTheUsageAsItCame) {
    for (const Transcript& transcript : All()) {
        if (transcript.name == "02_stream") {
            EXPECT_THAT(Play(transcript, Whole()).usage_json,
                        testing::HasSubstr("\"queue_time\":0.04"));
        }
    }
}

TEST(GroqSession, LivesWithAnOlderHostsSink) {
    Options options;
    options.sink_size = offsetof(aim_sink, extra);  // no extra, error, wait nor extensions
    const Result result = RunChat(Groq(), All()[1].request, {All()[1].answer}, options);
    EXPECT_EQ(result.events.back(), "done");
    EXPECT_EQ(result.text, "Grüße");
}

TEST(GroqSession, AHostThatLeavesAtAnyPointLeaksNothing) {
    // The driver's end() follows every state; LeakSanitizer looks for what is left.
    for (const Transcript& transcript : All()) {
        Transcript partial = transcript;
        partial.answer.body.resize(partial.answer.body.size() / 2);
        partial.answer.ending = AIM_END_MALFORMED;
        EXPECT_EQ(Play(partial, Randomly(3)).events.back(), "failed") << transcript.name;
    }
}

TEST(GroqSession, TakesAFullPathAsItIs) {
    const std::pair<const char*, const char*> cases[] = {
        {"http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1/chat/completions"},
        {"http://127.0.0.1:9/v1/", "http://127.0.0.1:9/v1/chat/completions"},
        {"http://127.0.0.1:9/x/chat/completions", "http://127.0.0.1:9/x/chat/completions"},
        {"http://127.0.0.1:9/v1?a=b", "http://127.0.0.1:9/v1/chat/completions?a=b"},
    };
    for (const auto& [endpoint, url] : cases) {
        Options options;
        options.endpoint = endpoint;
        const Result result = RunChat(Groq(), All()[1].request, {All()[1].answer}, options);
        ASSERT_EQ(result.sent.size(), 1U);
        EXPECT_EQ(result.sent[0].url, url);
    }
}

TEST(GroqModels, ListsWhatIsActive) {
    const Answer answer = {200,
                           {{"content-type", "application/json"}},
                           R"({"object":"list","data":[
        {"id":"llama-3.3-70b-versatile","object":"model","active":true,"context_window":131072,"max_completion_tokens":32768},
        {"id":"retired","active":false,"context_window":8192},
        {"id":"whisper-large-v3","context_window":448}]})",
                           AIM_END_COMPLETE};
    const Result result = RunModels(Groq(), {answer});
    ASSERT_EQ(result.sent.size(), 1U);
    EXPECT_EQ(Describe(result.sent[0]),
              "GET https://api.groq.com/openai/v1/models\naccept: application/json\n"
              "authorization: Bearer {GROQ_API_KEY}\n\n");
    EXPECT_THAT(result.events, testing::ElementsAre(
                                   "model llama-3.3-70b-versatile context=131072 max_output=32768",
                                   "model whisper-large-v3 context=448", "done"));
}

TEST(GroqModels, FailsAsChatDoes) {
    const Answer answer = {
        401, {}, R"({"error":{"message":"no","code":"invalid_api_key"}})", AIM_END_COMPLETE};
    EXPECT_THAT(RunModels(Groq(), {answer}).events,
                testing::ElementsAre("error unauthenticated status=401 code=invalid_api_key \"no\"",
                                     "failed"));
}

}  // namespace
}  // namespace aim::plugin_driver
