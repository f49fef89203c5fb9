#include "core/plugin/probe_runner.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <map>

#include <gtest/gtest.h>

#include "tests/bad_plugins/plugin_folder.hpp"

namespace aim::plugin {
namespace {

using testing::Eventually;

security::Sha256Digest Hash(std::uint8_t number) {
    security::Sha256Digest hash{};
    hash[0] = number;
    return hash;
}

// Does not end a probe before it may.
class GatedProbe final : public PluginProbe {
  public:
    ProbeResult Probe(const std::filesystem::path& staged, std::stop_token stop) override {
        most = std::max<int>(most, ++running);
        std::unique_lock lock(mutex_);
        changed_.wait(lock, stop, [this] { return open_; });
        --running;
        ++done;
        ProbeResult result;
        result.verdict.id = staged;
        result.conclusive = !stop.stop_requested();
        return result;
    }
    std::string Identity() const override { return "gated"; }
    void Rest() override { ++rests; }

    void Open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

    std::atomic<int> running = 0, most = 0, done = 0, rests = 0;

  private:
    std::mutex mutex_;
    std::condition_variable_any changed_;
    bool open_ = false;
};

class ProbeRunnerTest : public ::testing::Test {
  protected:
    ProbeRunnerTest() {
        thread_.Start(-1, [] { return MonotonicTime::max(); });
    }
    ~ProbeRunnerTest() override {
        OnLoader([this] { runner_.Cancel(); });
        thread_.Stop();
        runner_.Join();
    }

    void OnLoader(const std::function<void()>& task) {
        std::promise<void> done;
        thread_.queue()->Post([&] {
            task();
            done.set_value();
        });
        done.get_future().wait();
    }
    std::size_t Answers() {
        std::size_t count = 0;
        OnLoader([&] { count = answers_.size(); });
        return count;
    }

    LoaderThread thread_;
    GatedProbe probe_;
    std::map<security::Sha256Digest, ProbeResult> answers_;
    ProbeRunner runner_{probe_, thread_.queue(),
                        [this](const security::Sha256Digest& hash, ProbeResult result) {
                            EXPECT_TRUE(thread_.IsCurrent());
                            EXPECT_TRUE(answers_.emplace(hash, std::move(result)).second);
                        }};
};

TEST_F(ProbeRunnerTest, TwoAtOnceAndEachHashOnce) {
    OnLoader([this] {
        for (std::uint8_t i = 0; i < 6; ++i) runner_.Submit(Hash(i), "file" + std::to_string(i));
        runner_.Submit(Hash(0), "again");
        runner_.Submit(Hash(5), "again");
        EXPECT_FALSE(runner_.idle());
    });
    EXPECT_TRUE(Eventually([this] { return probe_.running == 2; }));
    probe_.Open();
    EXPECT_TRUE(Eventually([this] { return Answers() == 6; }));
    EXPECT_EQ(probe_.most, 2);
    EXPECT_EQ(probe_.done, 6);
    EXPECT_TRUE(Eventually([this] { return probe_.rests == 1; }));
    EXPECT_EQ(answers_[Hash(5)].verdict.id, "file5");
    EXPECT_TRUE(answers_[Hash(5)].conclusive);
}

TEST_F(ProbeRunnerTest, GoesOnWhileTheLoaderIsBusy) {
    probe_.Open();
    OnLoader([this] {
        for (std::uint8_t i = 0; i < 5; ++i) runner_.Submit(Hash(i), "file");
        EXPECT_TRUE(Eventually([this] { return probe_.done == 5; }));
        EXPECT_TRUE(answers_.empty());
    });
    EXPECT_TRUE(Eventually([this] { return Answers() == 5; }));
}

TEST_F(ProbeRunnerTest, OneThatIsDoneMayComeAgain) {
    probe_.Open();
    for (int round = 1; round <= 50; ++round) {
        OnLoader([this] { runner_.Submit(Hash(1), "file"); });
        ASSERT_TRUE(Eventually([this] { return Answers() == 1; }));
        OnLoader([this] { answers_.clear(); });
        EXPECT_EQ(probe_.done, round);
    }
}

TEST_F(ProbeRunnerTest, CancelInterruptsAndForgets) {
    OnLoader([this] {
        for (std::uint8_t i = 0; i < 4; ++i) runner_.Submit(Hash(i), "file");
    });
    ASSERT_TRUE(Eventually([this] { return probe_.running == 2; }));
    OnLoader([this] {
        runner_.Cancel();
        runner_.Submit(Hash(9), "late");
    });
    EXPECT_TRUE(Eventually([this] { return Answers() == 2; }));
    EXPECT_EQ(probe_.done, 2);
    for (const auto& [hash, result] : answers_) EXPECT_FALSE(result.conclusive);
}

}  // namespace
}  // namespace aim::plugin
