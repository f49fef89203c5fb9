#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <sys/types.h>

#include "core/plugin/refusal.hpp"
#include "core/security/sha256.hpp"

struct stat;

namespace aim::plugin {

// What tells two states of a file apart without reading it. ctime is in it because a repaired mode
// or owner is a reason to look again.
struct FileStamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;

    static FileStamp Of(const struct stat& status);
    friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

// The whole content of a plugin file, read once. All later steps use these bytes and never the
// operator's path again, so that nobody can swap the file between check and use.
struct PluginBytes {
    std::string bytes;
    security::Sha256Digest hash{};
    FileStamp stamp;
};

struct ReadLimits {
    std::uint64_t max_bytes = 64ull << 20;
    uid_t owner = 0;  // beside root, who may own a plugin: the effective user of this process
};

// Opens `path` without following a link in its last component (folders on the way may be links:
// mounts often are), checks kind, owner, mode and size, and reads it. Refuses with
// not_regular_file, unsafe_owner_or_mode, too_large, still_changing or unreadable. Never blocks on
// a FIFO.
Checked<PluginBytes> ReadPluginBytes(const std::filesystem::path& path, const ReadLimits& limits);

}  // namespace aim::plugin
