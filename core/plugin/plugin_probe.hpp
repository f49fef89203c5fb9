#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

#include "core/plugin/probe_process.hpp"
#include "core/plugin/probe_server.hpp"
#include "core/plugin/probe_verdict.hpp"

namespace aim::plugin {

struct ProbeResult {
    ProbeVerdict verdict;
    // Whether the verdict is about the file and so holds for the next time; false when the probe
    // itself failed or was interrupted.
    bool conclusive = true;
    // What the plugin wrote to its standard output and error, cut; for the log.
    std::string output;
    // How long it took; filled in by who runs the probe.
    std::chrono::steady_clock::duration took{0};
};

// Tries a staged plugin where it can do no harm. Thread-safe; several probes may run at once.
class PluginProbe {
  public:
    virtual ~PluginProbe() = default;

    // Blocks until the verdict is there or `stop` is requested.
    virtual ProbeResult Probe(const std::filesystem::path& staged, std::stop_token stop) = 0;

    // What tells this probe's verdicts from another build's.
    virtual std::string Identity() const = 0;

    // No probe runs, and none is expected soon: gives back what is kept for the next.
    virtual void Rest() {}
};

// Probes in a process of its own with a clean environment, no descriptors of ours and a time limit,
// after which its whole process group is killed. Refuses with what that process reports, or with
// probe_crashed (ended by a signal), probe_timeout, probe_failed (ended without a verdict).
class ProcessProbe : public PluginProbe {
  public:
    ProbeResult Probe(const std::filesystem::path& staged, std::stop_token stop) override;
    std::string Identity() const override;

    // $AIM_PROBE, else `aimanager` beside the running executable.
    static std::filesystem::path DefaultProgram();

  protected:
    ProcessProbe(std::filesystem::path program, std::chrono::milliseconds time_limit)
        : program_(std::move(program)), time_limit_(time_limit) {}

    // The process that probes `file`; null with an errno in `error`.
    virtual std::unique_ptr<ProbeProcess> Begin(const std::string& file, int& error) = 0;

    const std::filesystem::path program_;
    const std::chrono::milliseconds time_limit_;
};

// Starts `<program> plugin check --probe FILE` for each plugin.
class SpawnedProbe final : public ProcessProbe {
  public:
    SpawnedProbe(std::filesystem::path program, std::chrono::milliseconds time_limit)
        : ProcessProbe(std::move(program), time_limit) {}

  private:
    std::unique_ptr<ProbeProcess> Begin(const std::string& file, int& error) override;
};

// Starts the program once for many plugins, a quarter of the cost (probe_server.hpp).
class ServedProbe final : public ProcessProbe {
  public:
    ServedProbe(std::filesystem::path program, std::chrono::milliseconds time_limit)
        : ProcessProbe(program, time_limit), server_(std::move(program)) {}

    void Rest() override { server_.Rest(); }

  private:
    std::unique_ptr<ProbeProcess> Begin(const std::string& file, int& error) override {
        return server_.Begin(file, time_limit_, error);
    }

    ProbeServer server_;
};

}  // namespace aim::plugin
