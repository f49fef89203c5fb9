// Plugins are replaced under load: nothing is lost, nothing is mixed.
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include <gmock/gmock.h>

#include "tests/integration/gateway/plugin_files.hpp"

namespace aim::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// "[1.0.0 1.0.0 1.0.0 1.0.0]" → "1.0.0"; empty when the answer is not whole or two versions meet.
std::string StampOf(std::string_view text) {
    if (text.size() < 12 || text.front() != '[' || text.back() != ']') return {};
    const std::string stamp(text.substr(1, 5));
    std::string rest(text.substr(1, text.size() - 2));
    for (std::size_t at = 0; at < rest.size();) {
        if (rest[at] == ' ') {
            ++at;
            continue;
        }
        if (rest.compare(at, stamp.size(), stamp) != 0) return {};
        at += stamp.size();
    }
    return stamp;
}

TEST(StampTest, MixedAndCutAnswersAreSeen) {
    EXPECT_EQ(StampOf("[1.0.0 1.0.0 1.0.0]"), "1.0.0");
    EXPECT_EQ(StampOf("[1.0.0 1.0.0 2.0.0]"), "");
    EXPECT_EQ(StampOf("[1.0.0 1.0.0 "), "");
    EXPECT_EQ(StampOf(""), "");
}

// Clients that ask without a pause, and others that keep streams open, until Stop().
class Load {
  public:
    Load(const Service& service, int clients, int streams) : service_(service) {
        for (int i = 0; i < clients; ++i) threads_.emplace_back([this] { Ask(); });
        for (int i = 0; i < streams; ++i) threads_.emplace_back([this] { Stream(); });
    }
    ~Load() { Stop(); }
    void Stop() {
        stop_ = true;
        for (std::thread& thread : threads_) thread.join();
        threads_.clear();
    }

    std::uint64_t answers() const { return answers_; }
    std::uint64_t streams() const { return streams_; }
    // Every version that answered.
    std::set<std::string> stamps() const {
        const std::lock_guard lock(mutex_);
        return stamps_;
    }
    std::vector<std::string> problems() const {
        const std::lock_guard lock(mutex_);
        return problems_;
    }

  private:
    void Note(const std::string& text, const std::string& context) {
        const std::string stamp = StampOf(text);
        const std::lock_guard lock(mutex_);
        if (!stamp.empty()) {
            stamps_.insert(stamp);
        } else if (problems_.size() < 10) {
            problems_.push_back(context);
        }
    }
    void Ask() {
        HttpTestClient client = service_.Client();
        const HttpHeaders key = {{"X-API-Key", std::string(kCallerKey)}};
        while (!stop_) {
            const HttpAnswer answer = client.Post(
                "/api/v1/prompts", R"({"prompt":"x","model":"swapped","fallback":false})", key);
            std::string text;
            if (answer.status == 200) {
                const auto document = json::Parse(answer.body);
                if (document) text = document->root().Get("response").StringOr("");
            }
            Note(text, std::to_string(answer.status) + " " + answer.body);
            ++answers_;
        }
    }
    void Stream() {
        while (!stop_) {
            StreamReader stream(service_, "/v1/chat/completions",
                                R"({"model":"swapped","stream":true,"fallback":false,)"
                                R"("messages":[{"role":"user","content":"x"}]})");
            const bool whole = stream.ReadAll();
            std::string text;
            const auto events = stream.Events();
            if (whole && !events.empty() && events.back() == "[DONE]") {
                for (const std::string& event : events) {
                    const auto chunk = json::Parse(event);
                    if (!chunk) continue;
                    const json::Value choice = chunk->root().Get("choices").At(0);
                    text += choice.Get("delta").Get("content").StringOr("");
                }
            }
            Note(text, stream.body());
            ++streams_;
        }
    }

    const Service& service_;
    std::atomic<bool> stop_{false};
    std::atomic<std::uint64_t> answers_{0};
    std::atomic<std::uint64_t> streams_{0};
    mutable std::mutex mutex_;
    std::set<std::string> stamps_;
    std::vector<std::string> problems_;
    std::vector<std::thread> threads_;
};

TEST_F(GatewayTest, PluginIsReplacedTwentyTimesUnderLoadAndNothingIsLost) {
    const std::string versions[] = {FixtureBytes("stamp_1"), FixtureBytes("stamp_2"),
                                    FixtureBytes("stamp_3")};
    for (const std::string& version : versions) ASSERT_GT(version.size(), 4096U);
    PluginFile file(stack().state.path() / "plugins" / "stamp.so");
    file.MoveIn(versions[0]);
    AddModel("swapped", provider().url(), "stamp");
    // A stream lives about as long as two swaps.
    provider().Script("swapped", R"({"text":"a b c d e f g h i j k l m n o p q r s t",)"
                                 R"("chunk_delay_ms":25})");
    const auto generation = [&] {
        const json::Document plugin = PluginReport(business(), "loaded", "stamp");
        return plugin.root().Get("generation").Int64Or(0);
    };
    std::int64_t last = generation();
    ASSERT_GT(last, 0);

    const auto started = std::chrono::steady_clock::now();
    Load load(stack().business_api, 4, 8);
    ASSERT_TRUE(Eventually([&] { return load.answers() > 20; }));
    int retiring_seen = 0;
    for (int swap = 1; swap <= 20; ++swap) {
        SCOPED_TRACE(swap);
        const std::string bytes = WithMark(versions[swap % 3], swap);
        if (swap == 10) {
            // A broken file in between: refused, and who serves goes on.
            file.MoveIn(bytes.substr(0, bytes.size() / 2));
            ASSERT_TRUE(
                Eventually([&] { return ReasonFor(business(), "stamp.so") == "truncated"; }));
            EXPECT_EQ(generation(), last);
            const std::uint64_t before = load.answers();
            ASSERT_TRUE(Eventually([&] { return load.answers() > before + 20; }));
        }
        switch (swap % 3) {
            case 0:
                file.MoveIn(bytes);
                break;
            case 1:
                file.CopyOver(bytes);
                break;
            default:
                file.WriteSlowly(bytes, 4, milliseconds(30));
        }
        ASSERT_TRUE(Eventually([&] { return generation() > last; })) << swap;
        last = generation();
        retiring_seen +=
            PluginReport(business(), "retiring", "stamp").root().Get("generation").exists();
    }
    load.Stop();
    const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - started);
    EXPECT_THAT(load.problems(), ::testing::IsEmpty());
    EXPECT_EQ(load.stamps(), (std::set<std::string>{"1.0.0", "2.0.0", "3.0.0"}));
    EXPECT_GT(load.streams(), 8U);
    EXPECT_GT(retiring_seen, 0) << "no session outlived its generation: nothing was shown";
    RecordProperty("requests_per_second",
                   std::to_string(static_cast<double>(load.answers()) / took.count()));
    std::printf("%.0f requests/s, %llu streams in %.1f s\n",
                static_cast<double>(load.answers()) / took.count(),
                static_cast<unsigned long long>(load.streams()), took.count());
    // Nobody uses the old generations any more, so they go, also where a loop has no prompts.
    EXPECT_TRUE(Eventually([&] {
        return !PluginReport(business(), "retiring", "stamp").root().Get("generation").exists();
    }));
}

TEST_F(GatewayTest, RemovedPluginsModelsAreUnavailableUntilItComesBack) {
    PluginFile file(stack().state.path() / "plugins" / "stamp.so");
    file.MoveIn(FixtureBytes("stamp_1"));
    AddModel("removed", provider().url(), "stamp");
    const auto ask = [&] {
        return Prompt(R"("prompt":"x","model":"removed","fallback":false)").status;
    };
    EXPECT_EQ(ask(), 200);
    file.Remove();
    // It serves on for the grace time, and says so.
    ASSERT_TRUE(Eventually([&] {
        return PluginReport(business(), "loaded", "stamp").root().Get("state").StringOr("") ==
               "leaving";
    }));
    EXPECT_EQ(ask(), 200);
    ASSERT_TRUE(Eventually([&] { return StateOf("removed") == "no_plugin"; }));
    EXPECT_EQ(ask(), 503);
    // The row that is left does not keep the generation.
    EXPECT_TRUE(Eventually([&] {
        return !PluginReport(business(), "retiring", "stamp").root().Get("generation").exists();
    }));
    file.MoveIn(FixtureBytes("stamp_2"));
    ASSERT_TRUE(Eventually([&] { return StateOf("removed") == "available"; }));
    EXPECT_EQ(ask(), 200);
}

}  // namespace
}  // namespace aim::gateway
