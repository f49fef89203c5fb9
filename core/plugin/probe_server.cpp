#include "core/plugin/probe_server.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <linux/limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.hpp"

namespace aim::plugin {
namespace {

constexpr std::size_t kPipes = 3;
constexpr int kVerdictFd = 3;
constexpr std::chrono::milliseconds kPatience{1000};

struct Order {
    std::string file;
    UniqueFd verdict;
    UniqueFd output;
    UniqueFd status;
};

// Room for the descriptors, aligned as the kernel wants it.
union Control {
    cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int) * kPipes)];
};

// 0 or an errno.
int Send(int socket, const Order& order) {
    const std::array<int, kPipes> pipes = {order.verdict.get(), order.output.get(),
                                           order.status.get()};
    Control control{};
    iovec text{const_cast<char*>(order.file.data()), order.file.size()};
    msghdr message{};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof pipes);
    std::memcpy(CMSG_DATA(head), pipes.data(), sizeof pipes);
    ssize_t sent;
    do {
        sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? errno : 0;
}

// Nothing at the end of the talk.
std::optional<Order> Receive(int socket) {
    std::array<char, PATH_MAX> room;
    Control control{};
    iovec text{room.data(), room.size()};
    msghdr message{};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    ssize_t got;
    do {
        got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    const cmsghdr* const head = got > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
    if (head == nullptr || head->cmsg_type != SCM_RIGHTS ||
        head->cmsg_len != CMSG_LEN(sizeof(int) * kPipes))
        return std::nullopt;
    std::array<int, kPipes> pipes;
    std::memcpy(pipes.data(), CMSG_DATA(head), sizeof pipes);
    Order order;
    order.file.assign(room.data(), static_cast<std::size_t>(got));
    order.verdict = UniqueFd(pipes[0]);
    order.output = UniqueFd(pipes[1]);
    order.status = UniqueFd(pipes[2]);
    return order;
}

// What a probe's warden writes: its pid, then the wait status of the probe.
template <typename Number>
bool WriteNumber(int fd, Number number) {
    return ::write(fd, &number, sizeof number) == static_cast<ssize_t>(sizeof number);
}

// Not our child, but its warden's, who tells its end. Its group is the warden's.
class ServedProcess final : public ProbeProcess {
  public:
    // 0 or an errno: ETIMEDOUT when the server does nothing, EAGAIN when it could not fork.
    int AwaitWarden(std::chrono::milliseconds time_limit) {
        pollfd wait{end.get(), POLLIN, 0};
        const MonotonicTime deadline = SystemClock().Now() + time_limit;
        int ready;
        do {
            const auto left =
                std::chrono::ceil<std::chrono::milliseconds>(deadline - SystemClock().Now());
            ready = ::poll(&wait, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
        } while (ready < 0 && errno == EINTR);
        if (ready != 1) return ETIMEDOUT;
        const ssize_t got = ::read(end.get(), &group_, sizeof group_);
        return got == static_cast<ssize_t>(sizeof group_) ? 0 : EAGAIN;
    }

    std::optional<int> Ended() override {
        int status = 0;
        const ssize_t got = ::read(end.get(), &status, sizeof status);
        if (got < 0) return std::nullopt;
        // A warden that ended without a word was killed by what it watches, or for it.
        return got == static_cast<ssize_t>(sizeof status) ? status : SIGKILL;
    }

    void Kill() override {
        if (group_ > 0) ::kill(-group_, SIGKILL);
    }

  private:
    pid_t group_ = 0;
};

// In a process of the server's: forks the one that probes, and tells its end.
int Watch(Order order, const std::function<int(const std::string&, int)>& probe) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::signal(SIGCHLD, SIG_DFL);
    if (!WriteNumber(order.status.get(), ::getpid())) ::_exit(1);
    const pid_t child = ::fork();
    if (child == 0) {
        const int verdict = ::fcntl(order.verdict.get(), F_DUPFD, kVerdictFd + 1);
        ::dup2(order.output.get(), STDOUT_FILENO);
        ::dup2(order.output.get(), STDERR_FILENO);
        const std::string file = std::move(order.file);
        order = Order();
        ::dup2(verdict, kVerdictFd);
        ::closefrom(kVerdictFd + 1);
        return probe(file, kVerdictFd);
    }
    int status = SIGKILL;
    while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    WriteNumber(order.status.get(), status);
    ::_exit(0);
}

}  // namespace

std::unique_ptr<ProbeProcess> ProbeServer::Begin(const std::string& file,
                                                 std::chrono::milliseconds time_limit, int& error) {
    auto process = std::make_unique<ServedProcess>();
    auto verdict = MakeProbePipe();
    auto output = MakeProbePipe();
    auto status = MakeProbePipe();
    if (!verdict || !output || !status) {
        error = errno;
        return nullptr;
    }
    {
        const Order order{file, std::move(verdict->write), std::move(output->write),
                          std::move(status->write)};
        const std::lock_guard lock(mutex_);
        error = socket_.valid() ? Send(socket_.get(), order) : ENOTCONN;
        if (error == ENOTCONN || error == EPIPE || error == ECONNRESET) {
            RestLocked();
            error = StartLocked();
            if (error == 0) error = Send(socket_.get(), order);
        }
        if (error != 0) return nullptr;
    }
    process->verdict = std::move(verdict->read);
    process->output = std::move(output->read);
    process->end = std::move(status->read);
    error = process->AwaitWarden(time_limit);
    if (error == 0) return process;
    if (error == ETIMEDOUT) Rest();
    return nullptr;
}

void ProbeServer::Rest() {
    const std::lock_guard lock(mutex_);
    RestLocked();
}

int ProbeServer::StartLocked() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return errno;
    UniqueFd ours(ends[0]);
    const UniqueFd its(ends[1]);
    const std::pair<int, int> socket(its.get(), kVerdictFd);
    const int error =
        SpawnClean({program_.string(), "plugin", "check", "--probe-server"}, {&socket, 1}, pid_);
    if (error == 0) socket_ = std::move(ours);
    return error;
}

void ProbeServer::RestLocked() {
    if (!socket_.valid()) return;
    socket_.Close();
    const MonotonicTime patient_until = SystemClock().Now() + kPatience;
    int status = 0;
    pid_t got;
    while ((got = ::waitpid(pid_, &status, WNOHANG)) == 0 || (got < 0 && errno == EINTR)) {
        if (SystemClock().Now() >= patient_until) ::kill(pid_, SIGKILL);
        ::poll(nullptr, 0, 1);
    }
}

int ServeProbes(int socket, const std::function<int(const std::string&, int)>& probe) {
    ::signal(SIGCHLD, SIG_IGN);  // wardens are collected by the kernel
    while (auto order = Receive(socket)) {
        if (::fork() != 0) continue;
        ::close(socket);
        return Watch(std::move(*order), probe);
    }
    return 0;
}

}  // namespace aim::plugin
