#include "core/plugin/probe_cache.hpp"

#include <charconv>
#include <chrono>
#include <fstream>
#include <string_view>
#include <system_error>

#include <unistd.h>

#include "core/plugin/plugin_bytes.hpp"

namespace aim::plugin {
namespace {

constexpr std::chrono::minutes kTimeoutHolds{10};
constexpr std::uint64_t kMaxFileBytes = 8 << 20;

std::string_view TakeField(std::string_view& line) {
    const std::string_view field = line.substr(0, line.find('\t'));
    line.remove_prefix(std::min(line.size(), field.size() + 1));
    return field;
}

}  // namespace

// A line: build, hash, microseconds since 1970, verdict; separated by tabs.
ProbeCache::ProbeCache(std::filesystem::path file, std::string build)
    : file_(std::move(file)), build_(Printable(build)) {
    Read();
}

void ProbeCache::Read() {
    // The checks of a plugin file fit here too: who can write to the cache decides what runs
    // unprobed.
    ReadLimits limits;
    limits.max_bytes = kMaxFileBytes;
    limits.owner = ::geteuid();
    const auto content = ReadPluginBytes(file_, limits);
    if (!content) return;
    std::string_view rest = content->bytes;
    while (!rest.empty() && entries_.size() < kMaxEntries) {
        std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        if (TakeField(line) != build_) continue;
        const auto hash = security::ParseSha256(TakeField(line));
        const std::string_view time = TakeField(line);
        std::int64_t microseconds = 0;
        const auto parsed = std::from_chars(time.data(), time.data() + time.size(), microseconds);
        auto verdict = ParseProbeVerdict(line);
        if (!hash || parsed.ec != std::errc() || !verdict) continue;
        entries_[*hash] =
            Entry{std::move(*verdict), WallTime(std::chrono::microseconds(microseconds))};
    }
}

std::optional<ProbeVerdict> ProbeCache::Find(const security::Sha256Digest& hash,
                                             WallTime now) const {
    const auto found = entries_.find(hash);
    if (found == entries_.end()) return std::nullopt;
    const Entry& entry = found->second;
    if (entry.verdict.refusal && entry.verdict.refusal->reason == RefusalReason::kProbeTimeout &&
        (now < entry.stored || now - entry.stored > kTimeoutHolds)) {
        return std::nullopt;
    }
    return entry.verdict;
}

void ProbeCache::Store(const security::Sha256Digest& hash, const ProbeVerdict& verdict,
                       WallTime now) {
    if (entries_.size() >= kMaxEntries && entries_.count(hash) == 0) {
        auto oldest = entries_.begin();
        for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
            if (entry->second.stored < oldest->second.stored) oldest = entry;
        }
        entries_.erase(oldest);
    }
    entries_[hash] = Entry{verdict, now};
    Write();
}

void ProbeCache::Write() const {
    std::error_code error;
    std::filesystem::create_directories(file_.parent_path(), error);
    std::filesystem::path temporary = file_;
    temporary += ".tmp" + std::to_string(::getpid());
    {
        std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
        for (const auto& [hash, entry] : entries_) {
            out << build_ << '\t' << security::ToHex(hash) << '\t'
                << entry.stored.time_since_epoch().count() << '\t'
                << FormatProbeVerdict(entry.verdict) << '\n';
        }
        out.flush();
        if (!out) {
            std::filesystem::remove(temporary, error);
            return;
        }
    }
    std::filesystem::permissions(
        temporary, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, error);
    std::filesystem::rename(temporary, file_, error);
    if (error) std::filesystem::remove(temporary, error);
}

}  // namespace aim::plugin
