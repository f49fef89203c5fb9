#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "core/plugin/loader_thread.hpp"
#include "core/plugin/plugin_probe.hpp"
#include "core/security/sha256.hpp"

namespace aim::plugin {

// Runs probes beside the loader thread, at most two at once, so that a plugin that hangs holds up
// nobody; while the loader stages files, those before them are probed. Loader thread only, but for
// Join().
class ProbeRunner {
  public:
    using OnProbed = std::function<void(const security::Sha256Digest&, ProbeResult)>;

    // `on_probed` is called on the loader thread, once a submitted hash.
    ProbeRunner(PluginProbe& probe, std::shared_ptr<LoaderQueue> queue, OnProbed on_probed)
        : probe_(probe), queue_(std::move(queue)), on_probed_(std::move(on_probed)) {}
    ~ProbeRunner() { Join(); }

    // A hash that is waiting or running already is not taken twice.
    void Submit(const security::Sha256Digest& hash, std::filesystem::path staged);

    bool idle() const { return unfinished_.empty(); }

    // Interrupts what runs and forgets what waits; nothing is submitted after it.
    void Cancel();

    // Waits for the interrupted threads. After the loader thread has ended.
    void Join();

  private:
    static constexpr std::size_t kAtOnce = 2;
    struct Job {
        security::Sha256Digest hash;
        std::filesystem::path staged;
    };
    // Takes jobs until none waits, then ends.
    struct Worker {
        bool busy = false;
        std::jthread thread;
    };

    void Work(Worker& worker, const std::stop_token& stop);
    void Finish(const security::Sha256Digest& hash, ProbeResult result);

    PluginProbe& probe_;
    const std::shared_ptr<LoaderQueue> queue_;
    const OnProbed on_probed_;
    bool cancelled_ = false;
    // Waiting, running, or with its result on the way.
    std::set<security::Sha256Digest> unfinished_;
    std::mutex mutex_;  // guards what waits and who is busy
    std::deque<Job> waiting_;
    std::array<Worker, kAtOnce> workers_;
};

}  // namespace aim::plugin
