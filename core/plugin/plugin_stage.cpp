#include "core/plugin/plugin_stage.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/plugin/plugin_bytes.hpp"
#include "core/plugin/unique_fd.hpp"

namespace aim::plugin {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Refusal> StagingFailed(const fs::path& path, const char* what, int error) {
    return Refuse(RefusalReason::kStagingFailed,
                  "the private copy " + Printable(path.string(), 400) + " cannot be " + what +
                      ": " + std::generic_category().message(error) + "; check AIM_STATE_DIR");
}

std::string Label(std::string_view wanted) {
    std::string label;
    for (const char c : wanted.substr(0, 64)) {
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-') label += c;
    }
    return label.empty() ? "plugin" : label;
}

bool HasContent(const fs::path& path, const security::Sha256Digest& hash, std::size_t size) {
    ReadLimits limits;
    limits.max_bytes = size;
    limits.owner = ::geteuid();
    const auto present = ReadPluginBytes(path, limits);
    return present && present->hash == hash;
}

// Returns 0 or an errno.
int WriteWhole(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return ::fchmod(fd, 0500) == 0 && ::fsync(fd) == 0 ? 0 : errno;
}

}  // namespace

Checked<fs::path> PluginStage::OpenFolder() {
    std::error_code error;
    const fs::path folder = fs::absolute(folder_, error);
    if (error) return StagingFailed(folder_, "placed", error.value());
    fs::create_directories(folder.parent_path(), error);
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
        return StagingFailed(folder, "written", errno);
    struct stat status {};
    if (::lstat(folder.c_str(), &status) != 0) return StagingFailed(folder, "written", errno);
    if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid()) {
        return Refuse(RefusalReason::kStagingFailed,
                      "the folder for private copies, " + Printable(folder.string(), 400) +
                          ", is no folder of this process's own user: remove it");
    }
    if ((status.st_mode & 0777) != 0700 && ::chmod(folder.c_str(), 0700) != 0) {
        return StagingFailed(folder, "protected", errno);
    }
    struct statvfs file_system {};
    if (::statvfs(folder.c_str(), &file_system) == 0 && (file_system.f_flag & ST_NOEXEC) != 0) {
        return Refuse(RefusalReason::kNoexecStaging,
                      "the folder for private copies, " + Printable(folder.string(), 400) +
                          ", is on a file system mounted noexec: set AIM_STATE_DIR to one "
                          "mounted with exec");
    }
    return folder;
}

Checked<fs::path> PluginStage::Store(std::string_view bytes, const security::Sha256Digest& hash,
                                     std::string_view label) {
    auto folder = OpenFolder();
    if (!folder) return folder;
    const fs::path path = *folder / (Label(label) + "-" + security::ToHex(hash) + ".so");
    if (HasContent(path, hash, bytes.size())) {
        ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);  // in use: Sweep() leaves it
        return path;
    }
    std::string temporary = (*folder / ".staging-XXXXXX").string();
    UniqueFd file(::mkostemp(temporary.data(), O_CLOEXEC));
    if (!file.valid()) return StagingFailed(*folder, "written", errno);
    int error = WriteWhole(file.get(), bytes);
    file.Close();
    if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
    if (error != 0) {
        ::unlink(temporary.c_str());
        return StagingFailed(path, "written", error);
    }
    const UniqueFd handle(::open(folder->c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (handle.valid()) ::fsync(handle.get());  // a copy lost in a power cut is written again
    return path;
}

void PluginStage::Sweep(std::chrono::seconds age) {
    std::error_code error;
    const auto oldest = fs::file_time_type::clock::now() - age;
    for (fs::directory_iterator item(folder_, error), end; !error && item != end;
         item.increment(error)) {
        std::error_code ignored;
        if (item->is_regular_file(ignored) && item->last_write_time(ignored) < oldest && !ignored) {
            fs::remove(item->path(), ignored);
        }
    }
}

}  // namespace aim::plugin
