#include "core/plugin/folder_watcher.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <system_error>

#include <linux/magic.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>

namespace aim::plugin {
namespace {

namespace fs = std::filesystem;

// What is not in <linux/magic.h>.
constexpr unsigned long kCifsMagic = 0xFF534D42;
constexpr unsigned long kSmb2Magic = 0xFE534D42;
constexpr unsigned long kFuseMagic = 0x65735546;

constexpr std::uint32_t kEvents = IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM |
                                  IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

// A writer that never pauses must not put the look off for ever.
constexpr int kLongestDebounce = 5;

// Changes made by another machine, in another container or below an overlay are not told.
bool MayMissNotifications(const fs::path& folder) {
    struct statfs file_system {};
    if (::statfs(folder.c_str(), &file_system) != 0) return true;
    switch (static_cast<unsigned long>(file_system.f_type)) {
        case NFS_SUPER_MAGIC:
        case SMB_SUPER_MAGIC:
        case kCifsMagic:
        case kSmb2Magic:
        case kFuseMagic:
        case V9FS_MAGIC:
        case CEPH_SUPER_MAGIC:
        case AFS_SUPER_MAGIC:
        case OVERLAYFS_SUPER_MAGIC:
            return true;
        default:
            return false;
    }
}

bool EndsWith(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

FolderWatcher::FolderWatcher(std::vector<fs::path> folders, Options options) : options_(options) {
    inotify_ = UniqueFd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    for (fs::path& path : folders) {
        const bool known =
            std::any_of(folders_.begin(), folders_.end(),
                        [&path](const Folder& folder) { return folder.path == path; });
        if (!known && !path.empty()) folders_.push_back(Folder{std::move(path), -1, {}, false});
    }
}

bool FolderWatcher::IsCandidateName(std::string_view name) {
    return !name.empty() && name.front() != '.' && !EndsWith(name, ".tmp") &&
           !EndsWith(name, ".part") &&
           (EndsWith(name, ".so") || name.find(".so.") != std::string_view::npos);
}

void FolderWatcher::DrainNotifications(MonotonicTime now) {
    alignas(inotify_event) std::array<char, 16 * 1024> buffer;
    bool hinted = false;
    while (inotify_.valid()) {
        const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
        if (got <= 0) break;
        for (ssize_t at = 0; at < got;) {
            inotify_event event;
            std::memcpy(&event, buffer.data() + at, sizeof(event));
            const std::string_view name(
                buffer.data() + at + sizeof(event),
                event.len == 0 ? 0 : ::strnlen(buffer.data() + at + sizeof(event), event.len));
            at += static_cast<ssize_t>(sizeof(event) + event.len);
            if (!name.empty() && !IsCandidateName(name)) continue;
            hinted = true;
            for (Folder& folder : folders_) {
                if (folder.watch != event.wd) continue;
                if ((event.mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0)
                    complete_.insert(folder.path / name);
                if ((event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)) != 0)
                    folder.identity = {};
            }
        }
    }
    if (!hinted) return;
    if (first_hint_ == MonotonicTime{}) first_hint_ = now;
    next_look_ = std::min(next_look_, std::min(now + options_.debounce,
                                               first_hint_ + kLongestDebounce * options_.debounce));
}

void FolderWatcher::Rewatch(Folder& folder) {
    struct stat status {};
    if (::stat(folder.path.c_str(), &status) != 0) {
        folder.identity = {};
        folder.notifies = false;
        return;
    }
    FileStamp identity;
    identity.device = status.st_dev;
    identity.inode = status.st_ino;
    if (identity == folder.identity) return;
    if (folder.watch >= 0) ::inotify_rm_watch(inotify_.get(), folder.watch);
    folder.watch =
        inotify_.valid() ? ::inotify_add_watch(inotify_.get(), folder.path.c_str(), kEvents) : -1;
    folder.identity = identity;
    folder.notifies = folder.watch >= 0 && !MayMissNotifications(folder.path);
}

void FolderWatcher::List(const Folder& folder, std::vector<FileSighting>& found) {
    const std::size_t first = found.size();
    std::error_code error;
    for (fs::directory_iterator item(folder.path, error), end; !error && item != end;
         item.increment(error)) {
        if (!IsCandidateName(item->path().filename().native())) continue;
        struct stat status {};
        if (::lstat(item->path().c_str(), &status) != 0 || S_ISDIR(status.st_mode)) continue;
        found.push_back(
            FileSighting{item->path(), FileStamp::Of(status), complete_.count(item->path()) != 0});
    }
    std::sort(found.begin() + static_cast<std::ptrdiff_t>(first), found.end(),
              [](const FileSighting& a, const FileSighting& b) { return a.path < b.path; });
}

std::vector<FileSighting> FolderWatcher::Look(MonotonicTime now) {
    std::vector<FileSighting> found;
    bool all_notify = true;
    for (Folder& folder : folders_) {
        // Watch first, list then: a change between the two gives one look too many, not one too
        // few.
        Rewatch(folder);
        List(folder, found);
        all_notify = all_notify && folder.notifies;
    }
    complete_.clear();
    first_hint_ = {};
    next_look_ = now + (all_notify ? options_.slow_rescan : options_.fast_rescan);
    return found;
}

}  // namespace aim::plugin
