// Probes that share a server: the real one, with plugins that do it harm.
#include "core/plugin/probe_server.hpp"

#include <chrono>
#include <future>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "core/plugin/plugin_probe.hpp"
#include "tests/bad_plugins/plugin_folder.hpp"

namespace aim::plugin::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Process {
    pid_t pid;
    pid_t parent;
    std::string command;
};

// Ours, and theirs, that are no zombies.
std::vector<Process> Descendants() {
    std::vector<Process> all;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        const std::string stat = ReadAll(entry.path() / "stat");
        const std::size_t end = stat.rfind(')');
        if (end == std::string::npos || stat.at(end + 2) == 'Z') continue;
        std::string command = ReadAll(entry.path() / "cmdline");
        for (char& c : command) c = c == '\0' ? ' ' : c;
        all.push_back({std::stoi(name), std::stoi(stat.substr(end + 4)), command});
    }
    std::vector<Process> found;
    std::vector<pid_t> above = {::getpid()};
    for (std::size_t i = 0; i < above.size(); ++i) {
        for (const Process& process : all) {
            if (process.parent != above[i]) continue;
            above.push_back(process.pid);
            found.push_back(process);
        }
    }
    return found;
}

class ServedProbeTest : public ::testing::Test {
  protected:
    ProbeResult Run(const char* fixture) { return probe_.Probe(Fixture(fixture), {}); }

    static std::string ReasonOf(const ProbeResult& result) {
        return std::string(result.verdict.refusal ? RefusalName(result.verdict.refusal->reason)
                                                  : "");
    }

    ServedProbe probe_{ProcessProbe::DefaultProgram(), milliseconds(5000)};
};

TEST_F(ServedProbeTest, OneServerProbesManyAndSurvivesThem) {
    EXPECT_EQ(Run("good").verdict.id, "good");
    const auto begun = Descendants();
    ASSERT_EQ(begun.size(), 1u);
    EXPECT_NE(begun[0].command.find("plugin check --probe-server"), std::string::npos);
    EXPECT_EQ(ReasonOf(Run("crash_in_init")), "probe_crashed");
    EXPECT_EQ(ReasonOf(Run("exit_by_syscall")), "probe_failed");
    EXPECT_EQ(ReasonOf(Run("init_fails")), "init_failed");
    EXPECT_EQ(Run("good_other").verdict.id, "other");
    const auto after = Descendants();
    ASSERT_EQ(after.size(), 1u);
    EXPECT_EQ(after[0].pid, begun[0].pid);
    probe_.Rest();
    EXPECT_TRUE(Descendants().empty());
    EXPECT_EQ(Run("good").verdict.id, "good");
}

TEST_F(ServedProbeTest, OneThatHangsHoldsUpNoOther) {
    std::stop_source stop;
    auto hanging = std::async(std::launch::async, [&] {
        return probe_.Probe(Fixture("loop_in_init"), stop.get_token());
    });
    // The server, the warden and the plugin's process.
    ASSERT_TRUE(Eventually([] { return Descendants().size() == 3; }));
    EXPECT_EQ(Run("good").verdict.id, "good");
    EXPECT_EQ(hanging.wait_for(seconds(0)), std::future_status::timeout);
    stop.request_stop();
    EXPECT_FALSE(hanging.get().conclusive);
    EXPECT_TRUE(Eventually([] { return Descendants().size() == 1; }));
}

TEST_F(ServedProbeTest, TimeLimitEndsThePlugin) {
    ServedProbe hasty(ProcessProbe::DefaultProgram(), milliseconds(1500));
    const ProbeResult result = hasty.Probe(Fixture("loop_in_init"), {});
    EXPECT_EQ(ReasonOf(result), "probe_timeout");
    EXPECT_TRUE(result.conclusive);
    EXPECT_TRUE(Eventually([] { return Descendants().size() == 1; }));
}

TEST_F(ServedProbeTest, DeadServerIsStartedAgain) {
    EXPECT_EQ(Run("good").verdict.id, "good");
    const auto begun = Descendants();
    ASSERT_EQ(begun.size(), 1u);
    ::kill(begun[0].pid, SIGKILL);
    ASSERT_TRUE(Eventually([] { return Descendants().empty(); }));
    EXPECT_EQ(Run("good").verdict.id, "good");
}

TEST_F(ServedProbeTest, ServerThatDiesTakesItsProbesAlong) {
    auto hanging =
        std::async(std::launch::async, [&] { return probe_.Probe(Fixture("loop_in_init"), {}); });
    ASSERT_TRUE(Eventually([] { return Descendants().size() == 3; }));
    for (const Process& process : Descendants()) {
        if (process.parent == ::getpid()) ::kill(process.pid, SIGKILL);
    }
    EXPECT_EQ(ReasonOf(hanging.get()), "probe_timeout");
    EXPECT_TRUE(Eventually([] { return Descendants().empty(); }));
}

TEST_F(ServedProbeTest, ProgramThatServesNothingIsNotTheFilesFault) {
    for (const char* program : {"/nowhere/aimanager", "/bin/true"}) {
        ServedProbe probe(program, milliseconds(2000));
        const ProbeResult result = probe.Probe(Fixture("good"), {});
        EXPECT_EQ(ReasonOf(result), "probe_failed") << program;
        EXPECT_FALSE(result.conclusive) << program;
    }
}

}  // namespace
}  // namespace aim::plugin::testing
