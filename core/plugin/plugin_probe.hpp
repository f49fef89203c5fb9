#pragma once

#include <chrono>
#include <filesystem>
#include <stop_token>
#include <string>

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
};

// The real probe: runs `<program> plugin check --probe FILE` in a process of its own with a clean
// environment, no descriptors of ours and a time limit, after which its whole process group is
// killed. Refuses with what the child reports, or with probe_crashed (ended by a signal),
// probe_timeout, probe_failed (ended without a verdict).
class SpawnedProbe final : public PluginProbe {
  public:
    SpawnedProbe(std::filesystem::path program, std::chrono::milliseconds time_limit)
        : program_(std::move(program)), time_limit_(time_limit) {}

    ProbeResult Probe(const std::filesystem::path& staged, std::stop_token stop) override;
    std::string Identity() const override;

    // $AIM_PROBE, else `aimanager` beside the running executable.
    static std::filesystem::path DefaultProgram();

  private:
    const std::filesystem::path program_;
    const std::chrono::milliseconds time_limit_;
};

}  // namespace aim::plugin
