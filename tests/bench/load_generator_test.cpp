// bench_load as a process against the fake provider: it must see what is wrong.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "tests/support/fake_provider/fake_provider.hpp"

namespace aim::bench {
namespace {

struct Outcome {
    int exit_code = -1;
    std::string line;

    // The number of that name in the line; -1 without one.
    double operator[](const std::string& name) const {
        const std::size_t at = line.find("\"" + name + "\":");
        return at == std::string::npos ? -1 : std::atof(line.c_str() + at + name.size() + 3);
    }
};

class LoadGeneratorTest : public ::testing::Test {
  protected:
    Outcome Load(const std::string& arguments) { return Load(provider_.port(), arguments); }

    static Outcome Load(std::uint16_t port, const std::string& arguments) {
        const std::string command =
            std::string(AIM_BINARY_DIR) +
            "/bin/bench_load --url http://127.0.0.1:" + std::to_string(port) +
            "/openai/v1/chat/completions " + arguments;
        Outcome outcome;
        std::FILE* const pipe = ::popen(command.c_str(), "r");
        if (pipe == nullptr) return outcome;
        char buffer[4096];
        while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) outcome.line += buffer;
        const int status = ::pclose(pipe);
        outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        return outcome;
    }

    aim::testing::FakeProvider provider_;
};

TEST_F(LoadGeneratorTest, CountsGoodAnswers) {
    const Outcome closed = Load("--connections 4 --requests 100");
    EXPECT_EQ(closed.exit_code, 0) << closed.line;
    EXPECT_EQ(closed["requests"], 100);
    EXPECT_EQ(closed["errors"], 0);
    const Outcome open = Load("--connections 4 --rate 200 --seconds 0.5 --warm-up 0.1");
    EXPECT_EQ(open.exit_code, 0) << open.line;
    EXPECT_EQ(open["requests"], 100) << "those of the warm-up do not count";
    EXPECT_EQ(open["all_requests"], 120);
    EXPECT_EQ(open["unanswered"], 0);
}

TEST_F(LoadGeneratorTest, MissesAnAnswerToAnotherPrompt) {
    provider_.Script("bench", R"({"text":"the nonce of [01234567] somebody else"})");
    const Outcome closed = Load("--connections 2 --requests 20");
    EXPECT_EQ(closed.exit_code, 1);
    EXPECT_EQ(closed["wrong_nonces"], 20) << closed.line;
    EXPECT_EQ(closed["errors"], 20);
    const Outcome stream = Load("--stream --connections 3 --deltas 6");
    EXPECT_EQ(stream.exit_code, 1);
    EXPECT_EQ(stream["incomplete"], 3) << stream.line;
    EXPECT_EQ(stream["wrong_nonces"], 3);
    EXPECT_EQ(Load("--connections 2 --requests 20 --no-nonce").exit_code, 0);
}

TEST_F(LoadGeneratorTest, CountsRefusalsAndBrokenConnections) {
    provider_.Script("bench", R"({"status":503})");
    const Outcome refused = Load("--connections 2 --requests 20");
    EXPECT_EQ(refused["errors"], 20) << refused.line;
    EXPECT_EQ(refused["wrong_nonces"], 0);
    provider_.Script("bench", R"([{"cut_before_head":true},{"cut_before_head":true}])", false);
    const Outcome cut = Load("--connections 2 --requests 20");
    EXPECT_EQ(cut.exit_code, 1);
    EXPECT_EQ(cut["errors"], 2) << cut.line;
    EXPECT_EQ(cut["all_requests"], 20) << "a lost connection is opened anew";
}

// One answer takes 400 ms; a hundred requests a second are meant to be sent over one connection. A
// closed loop would see one slow answer; in truth forty requests waited.
TEST_F(LoadGeneratorTest, CountsTheTimeThatRequestsWaitedForASlowAnswer) {
    provider_.Script("bench", R"({"delay_before_head_ms":400,"text":"[........]"})", false);
    const Outcome open = Load("--connections 1 --rate 100 --seconds 1");
    EXPECT_EQ(open.exit_code, 0) << open.line;
    EXPECT_EQ(open["requests"], 100);
    EXPECT_GE(open["max_us"], 400'000);
    EXPECT_GE(open["p90_us"], 290'000) << "the eleventh of those that waited waited for 300 ms";
    EXPECT_GE(open["backlog"], 30);
}

TEST_F(LoadGeneratorTest, CountsWhatWasNotAnswered) {
    provider_.Script("bench", R"({"never_answer":true})");
    const Outcome open = Load("--connections 2 --rate 100 --seconds 0.2");
    EXPECT_EQ(open.exit_code, 1);
    EXPECT_EQ(open["unanswered"], 20) << open.line;
    EXPECT_GE(open["p50_us"], 5'000'000);
}

TEST_F(LoadGeneratorTest, CountsLostLateAndStalledDeltas) {
    provider_.Script(
        "bench",
        R"({"text":"[........]token 001 token 002 token 003 ","chunks":4,"chunk_delay_ms":300})");
    const Outcome slow = Load("--stream --connections 2 --deltas 4 --pace-ms 10 --stall-ms 100");
    EXPECT_EQ(slow.exit_code, 0) << slow.line;
    EXPECT_EQ(slow["complete"], 2);
    EXPECT_EQ(slow["late_deltas"], 8);
    EXPECT_GE(slow["stalled_deltas"], 1);
    EXPECT_GE(slow["behind_max_ms"], 1160);
    provider_.Script(
        "bench",
        R"({"text":"[........]token 001 token 002 token 003 ","chunks":4,"cut_after_chunks":2})");
    const Outcome cut = Load("--stream --connections 2 --deltas 4");
    EXPECT_EQ(cut.exit_code, 1);
    EXPECT_EQ(cut["incomplete"], 2) << cut.line;
    EXPECT_EQ(cut["lost_deltas"], 4);
}

TEST_F(LoadGeneratorTest, SaysWhenNobodyListens) {
    constexpr std::uint16_t kNobodys = 1;
    const Outcome outcome = Load(kNobodys, "--connections 3 --requests 10");
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_EQ(outcome["errors"], 3) << outcome.line;
}

}  // namespace
}  // namespace aim::bench
