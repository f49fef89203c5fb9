#include "tests/support/process_fixture/process_fixture.hpp"

#include <cstdlib>
#include <stdexcept>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/http_test_client/http_test_client.hpp"

namespace aim::test {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

std::vector<char*> Pointers(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

}  // namespace

ProcessFixture::ProcessFixture(Spec spec) {
    for (const char* const name : {"PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS",
                                   "LSAN_OPTIONS", "LLVM_PROFILE_FILE"}) {
        if (const char* value = std::getenv(name)) spec.environment.emplace(name, value);
    }
    std::vector<std::string> arguments{spec.program};
    arguments.insert(arguments.end(), spec.arguments.begin(), spec.arguments.end());
    std::vector<std::string> environment;
    for (const auto& [name, value] : spec.environment) environment.push_back(name + "=" + value);
    // Made before fork(): the child of a process with threads may not allocate.
    const std::vector<char*> argument_pointers = Pointers(arguments);
    const std::vector<char*> environment_pointers = Pointers(environment);
    int pipe_ends[2];
    if (::pipe2(pipe_ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(126);
        ::dup2(pipe_ends[1], 1);
        ::dup2(pipe_ends[1], 2);
        const int nothing = ::open("/dev/null", O_RDONLY);
        ::dup2(nothing, 0);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, nullptr);
        ::execve(argument_pointers[0], argument_pointers.data(), environment_pointers.data());
        ::_exit(127);
    }
    ::close(pipe_ends[1]);
    if (pid_ < 0) throw std::runtime_error("no process");
    reader_ = std::thread([this, descriptor = pipe_ends[0]] { Capture(descriptor); });
}

ProcessFixture::~ProcessFixture() {
    Kill();
    if (reader_.joinable()) reader_.join();
}

void ProcessFixture::Capture(int descriptor) {
    char bytes[16384];
    for (ssize_t size = 0; (size = ::read(descriptor, bytes, sizeof bytes)) > 0;) {
        const std::lock_guard lock(mutex_);
        output_.append(bytes, static_cast<std::size_t>(size));
    }
    ::close(descriptor);
    read_to_the_end_ = true;
}

std::string ProcessFixture::output() const {
    const std::lock_guard lock(mutex_);
    return output_;
}

bool ProcessFixture::HasExited() {
    if (status_) return true;
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
}

bool ProcessFixture::WaitUntil(const std::function<bool()>& condition, milliseconds time) {
    const auto deadline = Clock::now() + time;
    while (!condition()) {
        if (HasExited()) {
            ReadToTheEnd();
            return condition();
        }
        if (Clock::now() >= deadline) return false;
        std::this_thread::sleep_for(milliseconds(5));
    }
    return true;
}

bool ProcessFixture::WaitForOutput(const std::string& text, milliseconds time) {
    return WaitUntil([&] { return output().find(text) != std::string::npos; }, time);
}

bool ProcessFixture::WaitForHttp(std::uint16_t port, const std::string& path, milliseconds time) {
    return WaitUntil(
        [&] { return HttpTestClient(port, std::chrono::seconds(10)).Get(path).status == 200; },
        time);
}

std::optional<std::uint16_t> ProcessFixture::WaitForPort(const std::string& event,
                                                         milliseconds time) {
    if (!WaitForOutput(event, time)) return std::nullopt;
    std::optional<std::uint16_t> port;
    WaitUntil(
        [&] {
            const std::string text = output();
            const std::size_t at = text.find("\"port\":", text.find(event));
            if (at == std::string::npos || text.find('\n', at) == std::string::npos) return false;
            port = static_cast<std::uint16_t>(std::atoi(text.c_str() + at + 7));
            return true;
        },
        time);
    return port;
}

void ProcessFixture::Signal(int number) const {
    if (!status_) ::kill(pid_, number);
}

std::optional<int> ProcessFixture::WaitForExit(milliseconds time) {
    const auto deadline = Clock::now() + time;
    while (!HasExited()) {
        if (Clock::now() >= deadline) return std::nullopt;
        std::this_thread::sleep_for(milliseconds(5));
    }
    ReadToTheEnd();
    return status_;
}

void ProcessFixture::ReadToTheEnd() const {
    const auto patience = Clock::now() + std::chrono::seconds(5);
    while (!read_to_the_end_ && Clock::now() < patience)
        std::this_thread::sleep_for(milliseconds(1));
}

std::optional<int> ProcessFixture::Terminate(milliseconds time) {
    Signal(SIGTERM);
    return WaitForExit(time);
}

void ProcessFixture::Kill() {
    if (HasExited()) return;
    ::kill(pid_, SIGKILL);
    ::kill(pid_, SIGCONT);
    WaitForExit(std::chrono::seconds(10));
}

std::uint16_t FreePort() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(listener);
    return ntohs(address.sin_port);
}

}  // namespace aim::test
