// What is Groq's alone; the recorded sessions are played by tests/unit/plugins/transcripts.
#include <string>
#include <utility>

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

Transcript Streamed() {
    return ReadTranscript(AIM_SOURCE_DIR "/tests/plugins/groq/transcripts/02_stream.txt");
}

TEST(GroqSession, KeepsTheUsageAsItCame) {
    EXPECT_THAT(Play(Groq(), Streamed(), Whole()).usage_json,
                testing::HasSubstr("\"queue_time\":0.04"));
}

TEST(GroqSession, TakesAFullPathAsItIs) {
    const std::pair<const char*, const char*> cases[] = {
        {"http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1/chat/completions"},
        {"http://127.0.0.1:9/v1/", "http://127.0.0.1:9/v1/chat/completions"},
        {"http://127.0.0.1:9/x/chat/completions", "http://127.0.0.1:9/x/chat/completions"},
        {"http://127.0.0.1:9/v1?a=b", "http://127.0.0.1:9/v1/chat/completions?a=b"},
    };
    for (const auto& [endpoint, url] : cases) {
        Transcript transcript = Streamed();
        transcript.endpoint = endpoint;
        const Result result = Play(Groq(), transcript, Whole());
        ASSERT_EQ(result.sent.size(), 1U);
        EXPECT_EQ(result.sent[0].url, url);
    }
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
