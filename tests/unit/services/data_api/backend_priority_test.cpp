#include "services/data_api/database/backend_priority.hpp"

#include <array>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace aim::data_api::database {
namespace {

// A process that leads a session, as a backend does.
class Backend {
  public:
    Backend() {
        std::array<int, 2> ready{};
        EXPECT_EQ(::pipe(ready.data()), 0);
        id_ = ::fork();
        if (id_ == 0) {
            ::setsid();
            const ssize_t said = ::write(ready[1], "r", 1);
            for (;;) ::pause();
            ::_exit(said == 1 ? 0 : 1);
        }
        char byte = 0;
        EXPECT_EQ(::read(ready[0], &byte, 1), 1);
        ::close(ready[0]);
        ::close(ready[1]);
    }
    ~Backend() {
        ::kill(id_, SIGKILL);
        ::waitpid(id_, nullptr, 0);
    }
    Backend(const Backend&) = delete;
    Backend& operator=(const Backend&) = delete;

    pid_t id() const { return id_; }
    int nice() const { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(id_)); }
    // "" where the kernel has no autogroups.
    std::string autogroup() const {
        std::ifstream file("/proc/" + std::to_string(id_) + "/autogroup");
        std::string name;
        std::string rest;
        file >> name;
        std::getline(file, rest);
        return rest;
    }

  private:
    pid_t id_ = -1;
};

// Both ends belong to this process, so it is the listener of either.
class BackendPriority : public ::testing::Test {
  protected:
    BackendPriority() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets_.data()), 0); }
    ~BackendPriority() override {
        for (const int socket : sockets_) ::close(socket);
    }
    Lowered LowerSoon(pid_t backend, int nice) {
        Lowered lowered = Lowered::kLater;
        for (int i = 0; i < 100 && lowered == Lowered::kLater; ++i) {
            if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(50));
            lowered = LowerBackendPriority(sockets_[0], backend, nice);
        }
        return lowered;
    }

    std::array<int, 2> sockets_{};
};

TEST_F(BackendPriority, AListenersChildAndItsSessionGetTheNiceValue) {
    Backend backend;
    EXPECT_EQ(LowerSoon(backend.id(), 7), Lowered::kDone);
    EXPECT_EQ(backend.nice(), 7);
    if (const std::string autogroup = backend.autogroup(); !autogroup.empty()) {
        EXPECT_EQ(autogroup, " nice 7");
    }
}

TEST_F(BackendPriority, WhatIsLowerAlreadyStays) {
    Backend backend;
    ASSERT_EQ(LowerSoon(backend.id(), 12), Lowered::kDone);
    EXPECT_EQ(LowerSoon(backend.id(), 3), Lowered::kDone);
    EXPECT_EQ(backend.nice(), 12);
}

TEST_F(BackendPriority, AProcessThatIsNoChildOfTheListenerIsLeftAlone) {
    const int before = ::getpriority(PRIO_PROCESS, 0);
    EXPECT_EQ(LowerSoon(::getpid(), 9), Lowered::kNotOurs);
    EXPECT_EQ(LowerSoon(::getppid(), 9), Lowered::kNotOurs);
    EXPECT_EQ(LowerSoon(0, 9), Lowered::kNotOurs);
    EXPECT_EQ(LowerSoon(-1, 9), Lowered::kNotOurs);
    EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), before);
}

TEST_F(BackendPriority, OverTcpTheIdMayBeAnotherMachinesAndNothingIsTouched) {
    Backend backend;
    const int tcp = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(LowerBackendPriority(tcp, backend.id(), 9), Lowered::kNotOurs);
    EXPECT_EQ(LowerBackendPriority(-1, backend.id(), 9), Lowered::kNotOurs);
    EXPECT_EQ(backend.nice(), ::getpriority(PRIO_PROCESS, 0));
    ::close(tcp);
}

}  // namespace
}  // namespace aim::data_api::database
