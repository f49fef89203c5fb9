#include "core/plugin/plugin_bytes.hpp"

#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/plugin/unique_fd.hpp"

namespace aim::plugin {
namespace {

std::string Octal(mode_t mode) {
    char text[8];
    std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode & 07777));
    return text;
}

std::optional<Refusal> CheckStatus(const struct stat& status, const ReadLimits& limits) {
    if (!S_ISREG(status.st_mode)) {
        return Refusal{
            RefusalReason::kNotRegularFile,
            "a plugin must be a regular file; copy the shared object itself into the folder"};
    }
    if (status.st_uid != 0 && status.st_uid != limits.owner) {
        return Refusal{RefusalReason::kUnsafeOwnerOrMode,
                       "the file belongs to user " + std::to_string(status.st_uid) +
                           "; expected root or user " + std::to_string(limits.owner) +
                           ", who runs this process: chown it"};
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return Refusal{RefusalReason::kUnsafeOwnerOrMode,
                       "the file's mode is " + Octal(status.st_mode) +
                           ", so others than its owner may write to it: chmod go-w"};
    }
    if (static_cast<std::uint64_t>(status.st_size) > limits.max_bytes) {
        return Refusal{RefusalReason::kTooLarge,
                       "the file has " + std::to_string(status.st_size) + " bytes; at most " +
                           std::to_string(limits.max_bytes) + " are allowed: strip it"};
    }
    return std::nullopt;
}

}  // namespace

FileStamp FileStamp::Of(const struct stat& status) {
    const auto nanoseconds = [](const timespec& time) {
        return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
    };
    FileStamp stamp;
    stamp.device = status.st_dev;
    stamp.inode = status.st_ino;
    stamp.size = static_cast<std::uint64_t>(status.st_size);
    stamp.modified_ns = nanoseconds(status.st_mtim);
    stamp.changed_ns = nanoseconds(status.st_ctim);
    return stamp;
}

Checked<PluginBytes> ReadPluginBytes(const std::filesystem::path& path, const ReadLimits& limits) {
    const UniqueFd file(
        ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
    if (!file.valid()) {
        if (errno == ELOOP) {
            return Refuse(RefusalReason::kNotRegularFile,
                          "the file is a symbolic link, which is not followed; copy the shared "
                          "object itself into the folder");
        }
        if (errno == ENXIO) {
            return Refuse(RefusalReason::kNotRegularFile,
                          "a plugin must be a regular file, this is a socket or device");
        }
        return Refuse(RefusalReason::kUnreadable, std::string("the file cannot be opened: ") +
                                                      std::generic_category().message(errno));
    }
    struct stat before {};
    if (::fstat(file.get(), &before) != 0) {
        return Refuse(RefusalReason::kUnreadable, std::string("the file has no status: ") +
                                                      std::generic_category().message(errno));
    }
    if (auto refusal = CheckStatus(before, limits)) return tl::unexpected(std::move(*refusal));

    PluginBytes read;
    read.bytes.resize(static_cast<std::size_t>(before.st_size));
    std::size_t filled = 0;
    while (filled < read.bytes.size()) {
        const ssize_t got =
            ::read(file.get(), read.bytes.data() + filled, read.bytes.size() - filled);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            return Refuse(RefusalReason::kUnreadable, std::string("the file cannot be read: ") +
                                                          std::generic_category().message(errno));
        }
        if (got == 0) break;
        filled += static_cast<std::size_t>(got);
    }
    struct stat after {};
    if (::fstat(file.get(), &after) != 0 || filled != read.bytes.size() ||
        FileStamp::Of(before) != FileStamp::Of(after)) {
        return Refuse(RefusalReason::kStillChanging,
                      "the file changed while it was read; it is looked at again when it is "
                      "complete. Copy to a "
                      "temporary name and rename it");
    }
    read.stamp = FileStamp::Of(after);
    read.hash = security::Sha256(read.bytes);
    return read;
}

}  // namespace aim::plugin
