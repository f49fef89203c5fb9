#include "tests/bench/stream_watch.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/bench/load_report.hpp"

namespace aim::bench {
namespace {

using namespace std::chrono_literals;

constexpr Nonce kNonce = {'0', '1', '2', '3', 'a', 'b', 'c', 'd'};
constexpr std::string_view kEnd = "data: [DONE]\n\n";

std::string Delta(const std::string& text) {
    return "data: {\"choices\":[{\"delta\":{\"content\":\"" + text + "\"}}]}\n\n";
}

class StreamWatchTest : public ::testing::Test {
  protected:
    StreamWatchTest() {
        rules_.deltas = 3;
        rules_.pace = 20ms;
        rules_.marked = true;
        watch_.Begin(start_, kNonce);
    }
    void At(std::chrono::milliseconds time, std::string_view bytes) {
        watch_.buffer()->append(bytes);
        watch_.Look(start_ + time, rules_, &lateness_);
    }

    const StreamWatch::Time start_{1h};
    StreamRules rules_;
    StreamWatch watch_;
    Latencies lateness_;
};

TEST_F(StreamWatchTest, FollowsAStreamThatKeepsItsPace) {
    At(1ms, ": comment\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"\"}}]}\n\n");
    EXPECT_EQ(watch_.deltas(), 0u) << "an empty text is no delta";
    At(20ms, Delta("[0123abcd]"));
    At(40ms, Delta("token 001 "));
    EXPECT_FALSE(watch_.Complete(rules_));
    At(110ms, Delta("token 002 "));
    EXPECT_FALSE(watch_.Complete(rules_)) << "the end has not come";
    At(110ms, kEnd);
    EXPECT_TRUE(watch_.Complete(rules_));
    EXPECT_EQ(watch_.first_delta(), 20ms);
    EXPECT_EQ(watch_.longest_gap(), 70ms);
    EXPECT_EQ(watch_.late(), 0u) << "50 ms behind is not more than 50";
    EXPECT_EQ(watch_.stalls(), 0u);
    lateness_.Sort();
    EXPECT_EQ(lateness_.size(), 3u);
    EXPECT_EQ(lateness_.Microseconds(1), 50'000);
}

TEST_F(StreamWatchTest, TakesBytesAsTheyCome) {
    const std::string all =
        Delta("[0123abcd]") + Delta("token 001 ") + Delta("token 002 ") + std::string(kEnd);
    for (const char byte : all) At(0ms, std::string_view(&byte, 1));
    EXPECT_TRUE(watch_.Complete(rules_));
    EXPECT_EQ(watch_.deltas(), 3u);
}

TEST_F(StreamWatchTest, CountsEachLateAndEachStalledDelta) {
    At(20ms, Delta("[0123abcd]"));
    At(240ms, Delta("token 001 ") + Delta("token 002 "));
    At(240ms, kEnd);
    EXPECT_EQ(watch_.late(), 2u) << "both were due long before";
    EXPECT_EQ(watch_.stalls(), 1u) << "but the stream was silent once";
    EXPECT_TRUE(watch_.Complete(rules_));
}

TEST_F(StreamWatchTest, MissesWhatIsLostDoubledOrOutOfOrder) {
    struct Case {
        const char* name;
        std::string bytes;
        bool in_order;
    };
    const std::string first = Delta("[0123abcd]");
    const Case cases[] = {
        {"lost", first + Delta("token 002 "), false},
        {"doubled", first + Delta("token 001 ") + Delta("token 001 ") + Delta("token 002 "), false},
        {"swapped", first + Delta("token 002 ") + Delta("token 001 "), false},
        {"cut", first + Delta("token 001 "), true},
        {"another's", Delta("[ffffffff]") + Delta("token 001 ") + Delta("token 002 "), true},
    };
    for (const Case& item : cases) {
        watch_.Begin(start_, kNonce);
        At(20ms, item.bytes + std::string(kEnd));
        EXPECT_FALSE(watch_.Complete(rules_)) << item.name;
        EXPECT_EQ(watch_.in_order(), item.in_order) << item.name;
        EXPECT_EQ(watch_.answered_another(), std::string_view(item.name) == "another's");
    }
}

TEST_F(StreamWatchTest, IsSummedUpOverAllStreams) {
    StreamReport report;
    report.Add(watch_, false, rules_);  // nothing came
    At(20ms, Delta("[0123abcd]") + Delta("token 001 "));
    report.Add(watch_, false, rules_);
    At(300ms, Delta("token 002 ") + std::string(kEnd));
    report.Add(watch_, false, rules_);
    EXPECT_EQ(report.lost, 1u);
    EXPECT_EQ(report.incomplete, 1u);
    EXPECT_EQ(report.complete, 1u);
    EXPECT_EQ(report.lost_deltas, 4u);
    EXPECT_EQ(report.stalled, 1u);
    EXPECT_EQ(report.late_deltas, 1u);
    EXPECT_FALSE(report.Good());
    report.Add(watch_, true, rules_);
    EXPECT_EQ(report.incomplete, 2u) << "a whole stream of an answer that failed";
}

}  // namespace
}  // namespace aim::bench
