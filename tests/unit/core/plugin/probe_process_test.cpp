#include "core/plugin/probe_process.hpp"

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace aim::plugin {
namespace {

// What a shell gets that is started with one pipe as two descriptors.
std::string Said(const std::string& script, int first, int second) {
    auto pipe = MakeProbePipe();
    if (!pipe) return "no pipe";
    const int write = pipe->write.get();
    const std::array<std::pair<int, int>, 2> descriptors = {{{write, first}, {write, second}}};
    pid_t pid = -1;
    EXPECT_EQ(SpawnClean({"/bin/sh", "-c", script}, descriptors, pid), 0);
    int status = -1;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
    std::array<char, 1000> room;
    const ssize_t got = ::read(pipe->read.get(), room.data(), room.size());
    return got < 0 ? "" : std::string(room.data(), static_cast<std::size_t>(got));
}

TEST(SpawnCleanTest, DescriptorsHaveTheirNumbersThere) {
    EXPECT_EQ(Said("echo three >&3; echo five >&5; echo nothing; echo nothing >&2", 3, 5),
              "three\nfive\n");
}

TEST(SpawnCleanTest, OutputIsNothingUnlessAskedFor) {
    EXPECT_EQ(Said("echo one; echo two >&2", 1, 3), "one\n");
}

TEST(SpawnCleanTest, LeadsAGroupOfItsOwn) {
    EXPECT_EQ(
        Said("read -r stat </proc/self/stat; set -- $stat; test \"$5\" = $$ && echo leads", 1, 3),
        "leads\n");
}

TEST(SpawnCleanTest, MissingProgramIsAnErrno) {
    pid_t pid = -1;
    EXPECT_EQ(SpawnClean({"/nowhere/program"}, {}, pid), ENOENT);
}

}  // namespace
}  // namespace aim::plugin
