#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "core/base/clock.hpp"
#include "core/plugin/examiner.hpp"
#include "core/plugin/generation.hpp"
#include "core/plugin/loader_thread.hpp"
#include "core/plugin/plugin_library.hpp"
#include "core/plugin/plugin_set.hpp"
#include "core/telemetry/log.hpp"

namespace aim::plugin {

// Every library that this process has mapped, by content, and which of them is initialised. A
// library is mapped once however often its file comes and goes; init and deinit alternate. Loader
// thread only, but for kept().
class LibraryShelf {
  public:
    LibraryShelf(std::shared_ptr<LoaderQueue> queue, telemetry::Logger& log, const Clock& clock,
                 std::string host_version)
        : queue_(std::move(queue)),
          log_(log),
          clock_(clock),
          host_version_(std::move(host_version)) {}

    // The generation of this content: the one that is still alive, or a new one, for which the
    // library is loaded if it is not and initialised. When its last holder lets go, deinit is
    // posted to the queue; this object must outlive the thread of the queue.
    Checked<GenerationPtr> Activate(const Candidate& candidate);

    // Libraries mapped so far; they stay for the life of the process. Any thread.
    std::size_t kept() const { return kept_.load(std::memory_order_relaxed); }

  private:
    struct Library {
        PluginLibrary code;
        Introduction introduction;
        std::shared_ptr<HostTable> host;
        bool initialised = false;
        std::uint64_t number = 0;  // of the last generation
        std::weak_ptr<const Generation> live;
    };

    Checked<Library*> Open(const Candidate& candidate);
    void Deinit(Library& library);
    void OnReleased(const security::Sha256Digest& hash, std::uint64_t number);

    const std::shared_ptr<LoaderQueue> queue_;
    telemetry::Logger& log_;
    const Clock& clock_;
    const std::string host_version_;
    std::map<security::Sha256Digest, Library> libraries_;
    std::uint64_t last_number_ = 0;
    std::atomic<std::size_t> kept_{0};
};

}  // namespace aim::plugin
