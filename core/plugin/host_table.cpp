#include "core/plugin/host_table.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "aim/abi/version.h"
#include "core/base/utf8.hpp"

namespace aim::plugin {

using telemetry::Level;

namespace {

Level FromAbi(std::int32_t level) {
    switch (level) {
        case AIM_LOG_DEBUG:
            return Level::kDebug;
        case AIM_LOG_WARNING:
            return Level::kWarning;
        case AIM_LOG_ERROR:
            return Level::kError;
        default:
            return Level::kInfo;
    }
}

}  // namespace

HostTable::HostTable(telemetry::Logger& log, const Clock& clock, std::string host_version,
                     std::string subject)
    : log_(log),
      clock_(clock),
      version_(std::move(host_version)),
      subject_(std::move(subject)),
      table_{} {
    static constexpr std::string_view kName = "aimanager";
    table_.abi.struct_size = sizeof(aim_host);
    table_.abi.abi_major = AIM_ABI_MAJOR;
    table_.abi.abi_minor = AIM_ABI_MINOR;
    table_.abi.name = {kName.data(), kName.size()};
    table_.abi.version = {version_.data(), version_.size()};
    table_.abi.log_enabled = &HostTable::LogEnabled;
    table_.abi.log = &HostTable::LogText;
    table_.owner = this;
    window_start_ = clock_.Now();
}

int32_t HostTable::LogEnabled(const aim_host* host, int32_t level) {
    return reinterpret_cast<const Table*>(host)->owner->log_.Enabled(FromAbi(level)) ? 1 : 0;
}

void HostTable::LogText(const aim_host* host, int32_t level, aim_str text) {
    if (text.data == nullptr) return;
    // A little more than the limit, so that the cut can fall between two characters.
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(text.size, kMaxText + 4));
    reinterpret_cast<const Table*>(host)->owner->Write(
        FromAbi(level), TruncateUtf8(std::string_view(text.data, size), kMaxText));
}

void HostTable::Write(Level level, std::string_view text) {
    if (!log_.Enabled(level)) return;
    std::uint64_t dropped = 0;
    {
        const std::lock_guard lock(mutex_);
        const MonotonicTime now = clock_.Now();
        if (now - window_start_ >= std::chrono::seconds(1)) {
            window_start_ = now;
            in_window_ = 0;
            dropped = std::exchange(dropped_, 0);
        }
        if (in_window_ == kMessagesPerSecond) {
            ++dropped_;
            return;
        }
        ++in_window_;
    }
    if (dropped != 0) {
        log_.Warning("plugin_log_dropped", "messages of the plugin were dropped",
                     {{"plugin", subject_}, {"dropped", dropped}});
    }
    log_.Log(level, "plugin_message", text, {{"plugin", subject_}});
}

}  // namespace aim::plugin
