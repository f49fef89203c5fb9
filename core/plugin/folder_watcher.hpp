#pragma once

#include <chrono>
#include <filesystem>
#include <set>
#include <string_view>
#include <vector>

#include "core/base/clock.hpp"
#include "core/plugin/plugin_bytes.hpp"
#include "core/plugin/unique_fd.hpp"

namespace aim::plugin {

// One file that may be a plugin, as a look found it.
struct FileSighting {
    std::filesystem::path path;
    FileStamp stamp;
    // The kernel told that a writer closed it or that it was moved here: no need to wait until it
    // stops changing.
    bool complete = false;
};

// Says when to look into the plugin folders, and what is there. Notifications (inotify) are hints
// only: they come twice, get lost and miss network file systems, so the truth is always the next
// look. A folder that is missing is looked for every `fast_rescan`; so is one on a file system
// whose notifications may be missing. One thread at a time.
class FolderWatcher {
  public:
    struct Options {
        std::chrono::milliseconds debounce{100};  // quiet time after a notification before the look
        std::chrono::milliseconds fast_rescan{1000};
        std::chrono::milliseconds slow_rescan{30000};
    };

    // Folders in the order in which their plugins are preferred. They need not exist.
    FolderWatcher(std::vector<std::filesystem::path> folders, Options options);

    // Readable when DrainNotifications has something to do; -1 when this system gives no
    // notifications.
    int fd() const { return inotify_.get(); }

    // Takes what the kernel has to tell.
    void DrainNotifications(MonotonicTime now);

    // When the next Look is due.
    MonotonicTime NextLook() const { return next_look_; }

    // Lists the candidate files of all folders: not hidden, named *.so, no *.tmp and *.part, any
    // kind but folder; by folder, then name. Takes up watches of folders that came or were
    // replaced.
    std::vector<FileSighting> Look(MonotonicTime now);

    // Whether a file of this name is looked at: *.so and *.so.N. Read-me files and what a build
    // leaves beside its plugins are nobody's mistake.
    static bool IsCandidateName(std::string_view name);

  private:
    struct Folder {
        std::filesystem::path path;
        int watch = -1;
        FileStamp identity;  // of the folder that is watched: device and inode only
        bool notifies = false;
    };

    void Rewatch(Folder& folder);
    void List(const Folder& folder, std::vector<FileSighting>& found);

    const Options options_;
    std::vector<Folder> folders_;
    UniqueFd inotify_;
    std::set<std::filesystem::path> complete_;
    MonotonicTime first_hint_{};  // of the hints not looked at yet; zero = none
    MonotonicTime next_look_{};
};

}  // namespace aim::plugin
