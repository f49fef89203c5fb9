#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "core/plugin/probe_process.hpp"

namespace aim::plugin {

// Starting a program costs more than probing a plugin in it: most of the time goes into linking
// it. So several probes are done by one program that is started once, has one thread, loads no
// plugin itself, and forks a process for each. Both ends of the talk with it are here; it goes over
// a SOCK_SEQPACKET socket, a packet a probe: the file's path, and with it the writing ends of three
// pipes (verdict, output, status).

// The host's end. Thread-safe.
class ProbeServer {
  public:
    // `program` is started as `<program> plugin check --probe-server`.
    explicit ProbeServer(std::filesystem::path program) : program_(std::move(program)) {}
    ~ProbeServer() { Rest(); }

    ProbeServer(const ProbeServer&) = delete;
    ProbeServer& operator=(const ProbeServer&) = delete;

    // A process that probes `file`; starts the server when there is none, and once more when it has
    // died. Waits at most `time_limit` for it. Null with an errno in `error`.
    std::unique_ptr<ProbeProcess> Begin(const std::string& file,
                                        std::chrono::milliseconds time_limit, int& error);

    // Ends the server, and with it any probe that still runs; the next one starts it anew.
    void Rest();

  private:
    int StartLocked();
    void RestLocked();

    const std::filesystem::path program_;
    std::mutex mutex_;
    UniqueFd socket_;
    pid_t pid_ = -1;
};

// The server's end: takes orders from `socket` until its other end is closed, then returns 0. Also
// returns in each process that it has forked, with what `probe` returned, which it calls there with
// the file and the descriptor for the verdict. The caller has one thread.
int ServeProbes(int socket, const std::function<int(const std::string&, int)>& probe);

}  // namespace aim::plugin
