#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "aim/abi/host.h"
#include "core/base/clock.hpp"
#include "core/telemetry/log.hpp"

namespace aim::plugin {

// What one library sees as its host (aim_host): a name, a version and a log that is cut at 2 KiB a
// message and limited to 50 messages a second; how many were dropped is said when the second is
// over and the next one comes. The table stays valid as long as this object, and so must the log.
// Thread-safe.
class HostTable {
  public:
    HostTable(telemetry::Logger& log, const Clock& clock, std::string host_version,
              std::string subject);
    HostTable(const HostTable&) = delete;
    HostTable& operator=(const HostTable&) = delete;

    const aim_host* table() const { return &table_.abi; }

  private:
    // The plugin gives `abi` back; what follows it finds the object again.
    struct Table {
        aim_host abi;
        HostTable* owner;
    };
    static int32_t LogEnabled(const aim_host* host, int32_t level);
    static void LogText(const aim_host* host, int32_t level, aim_str text);
    void Write(telemetry::Level level, std::string_view text);

    static constexpr int kMessagesPerSecond = 50;
    static constexpr std::size_t kMaxText = 2048;

    telemetry::Logger& log_;
    const Clock& clock_;
    const std::string version_;
    const std::string subject_;
    Table table_;

    std::mutex mutex_;
    MonotonicTime window_start_;
    int in_window_ = 0;
    std::uint64_t dropped_ = 0;
};

}  // namespace aim::plugin
