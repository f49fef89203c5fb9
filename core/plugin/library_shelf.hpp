#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/clock.hpp"
#include "core/plugin/conduct.hpp"
#include "core/plugin/examiner.hpp"
#include "core/plugin/generation.hpp"
#include "core/plugin/loader_thread.hpp"
#include "core/plugin/plugin_library.hpp"
#include "core/plugin/plugin_set.hpp"
#include "core/telemetry/log.hpp"

namespace aim::plugin {

// Every library that this process has mapped, by content, and which of them is initialised. A
// library is mapped once however often its file comes and goes; init and deinit alternate. Loader
// thread only, unless a function says otherwise.
class LibraryShelf {
  public:
    // Called on the loader thread with what a content's conduct has to tell.
    using OnConduct = std::function<void(const security::Sha256Digest& content,
                                         const std::string& id, const Conduct::Report&)>;

    LibraryShelf(std::shared_ptr<LoaderQueue> queue, telemetry::Logger& log, const Clock& clock,
                 std::string host_version, OnConduct on_conduct)
        : queue_(std::move(queue)),
          log_(log),
          clock_(clock),
          host_version_(std::move(host_version)),
          on_conduct_(std::move(on_conduct)) {}

    // The generation of this content: the one that is still alive, or a new one, for which the
    // library is loaded if it is not and initialised. When its last holder lets go, deinit is
    // posted to the queue; this object must outlive the thread of the queue.
    Checked<GenerationPtr> Activate(const Candidate& candidate);

    // Gives a content that was in quarantine another chance.
    void Pardon(const security::Sha256Digest& hash);

    // The generations that somebody still holds, whether they serve or not; the oldest first. Any
    // thread.
    std::vector<GenerationPtr> Live() const;

    const std::shared_ptr<ConductTotals>& totals() const { return totals_; }

    // Libraries mapped so far; they stay for the life of the process. Any thread.
    std::size_t kept() const { return kept_.load(std::memory_order_relaxed); }

  private:
    struct Library {
        PluginLibrary code;
        Introduction introduction;
        std::shared_ptr<HostTable> host;
        bool initialised = false;
        std::uint64_t number = 0;  // of the last generation
        Conduct* conduct = nullptr;
        std::weak_ptr<const Generation> live;
    };

    Checked<Library*> Open(const Candidate& candidate);
    void Deinit(Library& library);
    void OnReleased(const security::Sha256Digest& hash, std::uint64_t number);

    const std::shared_ptr<LoaderQueue> queue_;
    telemetry::Logger& log_;
    const Clock& clock_;
    const std::string host_version_;
    const OnConduct on_conduct_;
    const std::shared_ptr<ConductTotals> totals_ = std::make_shared<ConductTotals>();
    std::map<security::Sha256Digest, Library> libraries_;
    std::uint64_t last_number_ = 0;
    std::atomic<std::size_t> kept_{0};
    mutable std::mutex live_mutex_;
    std::vector<std::weak_ptr<const Generation>> live_;  // guarded by live_mutex_
};

}  // namespace aim::plugin
