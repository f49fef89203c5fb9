#include "services/data_api/database/backend_priority.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace aim::data_api::database {
namespace {

std::string FileOf(pid_t process, const char* name) {
    return "/proc/" + std::to_string(process) + "/" + name;
}

// Empty when it cannot be read.
std::string StartOf(const std::string& path) {
    std::array<char, 512> text{};
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return {};
    const ssize_t size = ::read(file, text.data(), text.size());
    ::close(file);
    return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
}

// -1 when there is no such process. proc(5): "pid (comm) state ppid …"; comm may hold anything.
pid_t ParentOf(pid_t process) {
    const std::string text = StartOf(FileOf(process, "stat"));
    const std::size_t end = text.rfind(')');
    int parent = -1;
    if (end == std::string::npos || std::sscanf(text.c_str() + end + 1, " %*c %d", &parent) != 1)
        return -1;
    return parent;
}

// Who listens at the other end of a Unix socket, as this process counts processes; -1 for any other
// socket and for a process that cannot be seen from here.
pid_t ListenerOf(int socket) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
        address.ss_family != AF_UNIX)
        return -1;
    ucred peer{};
    size = sizeof peer;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0)
        return -1;
    return peer.pid;
}

Lowered LowerProcess(pid_t process, int nice) {
    errno = 0;
    const int now = ::getpriority(PRIO_PROCESS, static_cast<id_t>(process));
    if (errno != 0) return Lowered::kNotOurs;
    if (now >= nice) return Lowered::kDone;
    return ::setpriority(PRIO_PROCESS, static_cast<id_t>(process), nice) == 0 ? Lowered::kDone
                                                                              : Lowered::kNotOurs;
}

// proc(5): reads "/autogroup-25 nice 0", takes a number.
Lowered LowerAutogroup(pid_t process, int nice) {
    const std::string path = FileOf(process, "autogroup");
    const std::string text = StartOf(path);
    int now = 0;
    if (std::sscanf(text.c_str(), "/autogroup-%*d nice %d", &now) != 1 || now >= nice)
        return Lowered::kDone;  // there are none, or nothing to do
    const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0) return Lowered::kNotOurs;
    const std::string value = std::to_string(nice);
    const bool written = ::write(file, value.data(), value.size()) > 0;
    const int error = errno;
    ::close(file);
    if (written) return Lowered::kDone;
    return error == EAGAIN ? Lowered::kLater : Lowered::kNotOurs;
}

}  // namespace

Lowered LowerBackendPriority(int socket, pid_t backend, int nice) {
    const pid_t listener = ListenerOf(socket);
    if (backend <= 0 || listener <= 0 || ParentOf(backend) != listener) return Lowered::kNotOurs;
    if (const Lowered lowered = LowerProcess(backend, nice); lowered != Lowered::kDone)
        return lowered;
    return LowerAutogroup(backend, nice);
}

}  // namespace aim::data_api::database
