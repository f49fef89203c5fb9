#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "core/base/clock.hpp"
#include "core/plugin/probe_verdict.hpp"
#include "core/security/sha256.hpp"

namespace aim::plugin {

// Verdicts of earlier probes, so that a known file is not probed again by the same build: a start
// costs milliseconds, and a plugin that hangs does so once. Kept in a file that is replaced as a
// whole; losing it costs only time. Several processes may share the file: the last writer wins. A
// timeout is forgotten after ten minutes, for the machine may have been busy. Used by one thread at
// a time.
class ProbeCache {
  public:
    // `build` is whatever makes verdicts comparable: the host's version and the probe's identity.
    ProbeCache(std::filesystem::path file, std::string build);

    std::optional<ProbeVerdict> Find(const security::Sha256Digest& hash, WallTime now) const;

    // Remembers and writes the file. An unwritable file is no error: the cache then lives as long
    // as the process.
    void Store(const security::Sha256Digest& hash, const ProbeVerdict& verdict, WallTime now);

  private:
    struct Entry {
        ProbeVerdict verdict;
        WallTime stored;
    };
    static constexpr std::size_t kMaxEntries = 1000;

    void Read();
    void Write() const;

    const std::filesystem::path file_;
    const std::string build_;
    std::map<security::Sha256Digest, Entry> entries_;
};

}  // namespace aim::plugin
