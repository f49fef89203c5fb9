#include "core/telemetry/json_line_logger.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/fake_clock.hpp"

namespace aim::telemetry {
namespace {

using namespace std::chrono_literals;

// A file without a name, for a logger to write to.
class LogFile {
  public:
    LogFile() : file_(std::tmpfile()) {}
    ~LogFile() { std::fclose(file_); }
    int descriptor() const { return ::fileno(file_); }

    std::string Text() const {
        std::string text;
        char buffer[4096];
        for (off_t at = 0;;) {
            const ssize_t size = ::pread(descriptor(), buffer, sizeof buffer, at);
            if (size <= 0) return text;
            text.append(buffer, static_cast<std::size_t>(size));
            at += size;
        }
    }
    std::size_t Lines() const {
        const std::string text = Text();
        return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    }

  private:
    std::FILE* file_;
};

class Pipe {
  public:
    Pipe() { EXPECT_EQ(::pipe2(ends_, O_CLOEXEC), 0); }
    ~Pipe() {
        CloseReader();
        ::close(ends_[1]);
    }
    int writer() const { return ends_[1]; }
    void CloseReader() {
        if (ends_[0] >= 0) ::close(ends_[0]);
        ends_[0] = -1;
    }
    // Fills it, so that the next write has to wait.
    void Fill() {
        ASSERT_EQ(::fcntl(ends_[1], F_SETFL, O_NONBLOCK), 0);
        const std::string block(4096, '.');
        while (::write(ends_[1], block.data(), block.size()) > 0) {
        }
        ASSERT_EQ(::fcntl(ends_[1], F_SETFL, 0), 0);
    }
    // Everything until `bytes` are there or nothing comes for ten seconds.
    std::string Read(std::size_t bytes) {
        std::string text;
        char buffer[4096];
        while (text.size() < bytes) {
            const ssize_t size = ::read(ends_[0], buffer, sizeof buffer);
            if (size <= 0) break;
            text.append(buffer, static_cast<std::size_t>(size));
        }
        return text;
    }

  private:
    int ends_[2] = {-1, -1};
};

LogOptions To(int descriptor) {
    LogOptions options;
    options.service = "test_service";
    options.file_descriptor = descriptor;
    return options;
}

TEST(JsonLineLogger, WritesLinesInOrder) {
    const LogFile file;
    testing::FakeClock clock;
    LogOptions options = To(file.descriptor());
    options.clock = &clock;
    JsonLineLogger log(options);
    log.Info("first", "One", {{"n", 1}});
    clock.Advance(1ms);
    log.Debug("hidden", "Under the level");
    log.Error("second", "Two");
    ASSERT_TRUE(log.Flush(10s));
    EXPECT_EQ(
        file.Text(),
        R"({"timestamp":"2026-11-21T10:30:45.123Z","level":"INFO","service":"test_service","request_id":null,"event":"first","message":"One","n":1})"
        "\n"
        R"({"timestamp":"2026-11-21T10:30:45.124Z","level":"ERROR","service":"test_service","request_id":null,"event":"second","message":"Two"})"
        "\n");
}

TEST(JsonLineLogger, WritesWhatIsLeftWhenDestroyed) {
    const LogFile file;
    {
        LogOptions options = To(file.descriptor());
        options.write_interval = 1h;
        JsonLineLogger log(options);
        for (int i = 0; i < 100; ++i) log.Info("event", "Message");
    }
    EXPECT_EQ(file.Lines(), 100u);
}

TEST(JsonLineLogger, AWarningDoesNotWaitForTheInterval) {
    Pipe pipe;
    LogOptions options = To(pipe.writer());
    options.write_interval = 1h;
    JsonLineLogger log(options);
    log.Info("calm", "Waits for company");
    log.Warning("urgent", "Goes at once");
    EXPECT_NE(pipe.Read(200).find("urgent"), std::string::npos);
}

TEST(JsonLineLogger, MasksRegisteredSecretsWhereverTheyStand) {
    const LogFile file;
    JsonLineLogger log(To(file.descriptor()));
    log.RegisterSecret(SecretString(std::string("gsk_canary\"1")));
    log.Info("event", "key gsk_canary\"1", {{"header", "Bearer gsk_canary\"1"}});
    ASSERT_TRUE(log.Flush(10s));
    EXPECT_EQ(file.Text().find("canary"), std::string::npos);
    EXPECT_NE(file.Text().find("Bearer ***"), std::string::npos);
}

TEST(JsonLineLogger, ThreadsLoseNothing) {
    const LogFile file;
    JsonLineLogger log(To(file.descriptor()));
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&log, t] {
            for (int i = 0; i < 1000; ++i) log.Info("event", "Message", {{"t", t}, {"i", i}});
        });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_TRUE(log.Flush(30s));
    EXPECT_EQ(file.Lines(), 4000u);
    EXPECT_EQ(log.dropped(), 0u);
}

TEST(JsonLineLogger, ASlowReaderCostsLinesNotTimeAndIsTold) {
    Pipe pipe;
    pipe.Fill();
    LogOptions options = To(pipe.writer());
    options.queue_limit_bytes = 16 * 1024;
    JsonLineLogger log(options);
    const std::string text(1000, 'x');
    for (int i = 0; log.dropped() == 0 && i < 100000; ++i) {
        log.Info("event", text);
    }
    ASSERT_GT(log.dropped(), 0u);
    EXPECT_FALSE(log.Flush(1ms));
    // Read until the report comes; it is written with the first batch after the drop.
    std::string seen;
    for (int i = 0; i < 1000 && seen.find("log_lines_dropped") == std::string::npos; ++i) {
        log.Warning("more", "Message");
        seen += pipe.Read(1);
    }
    EXPECT_NE(seen.find("log_lines_dropped"), std::string::npos);
}

TEST(JsonLineLogger, AReaderThatNeverReadsDoesNotHoldUpTheEnd) {
    Pipe pipe;
    pipe.Fill();
    const auto start = std::chrono::steady_clock::now();
    {
        JsonLineLogger log(To(pipe.writer()));
        const std::string text(1000, 'x');
        for (int i = 0; i < 200; ++i) log.Info("event", text);
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, 60s);
}

TEST(JsonLineLogger, AReaderThatWentAwayIsNoReasonToDie) {
    Pipe pipe;
    pipe.CloseReader();
    JsonLineLogger log(To(pipe.writer()));
    log.Error("event", "Nobody reads this");
    EXPECT_TRUE(log.Flush(10s));
    EXPECT_EQ(log.dropped(), 1u);
}

}  // namespace
}  // namespace aim::telemetry
