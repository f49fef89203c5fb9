#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.hpp"
#include "core/plugin/conduct.hpp"
#include "core/plugin/examiner.hpp"
#include "core/plugin/folder_watcher.hpp"
#include "core/plugin/library_shelf.hpp"
#include "core/plugin/loader_thread.hpp"
#include "core/plugin/plugin_probe.hpp"
#include "core/plugin/plugin_set.hpp"
#include "core/plugin/probe_cache.hpp"
#include "core/plugin/probe_runner.hpp"
#include "core/plugin/refusal.hpp"
#include "core/plugin/trust_policy.hpp"
#include "core/telemetry/log.hpp"

namespace aim::plugin {

struct RegistryOptions {
    std::vector<std::filesystem::path> folders;  // PLUGIN_PATH, in order of preference
    std::filesystem::path
        state_dir;  // AIM_STATE_DIR: private copies and the probe cache live below it
    TrustPolicy trust;
    std::string host_version;  // shown to plugins; a new one has every file probed again
    std::uint64_t max_file_bytes = 64ull << 20;
    FolderWatcher::Options watch;
    std::chrono::milliseconds settle{
        500};  // how long a file of unknown completeness must not change
    std::chrono::milliseconds removal_grace{
        2000};  // how long the plugin of a removed file still takes sessions
    std::chrono::milliseconds start_wait{12000};  // the longest that Start() waits for probes
};

// Counters; called on the loader thread.
class RegistryObserver {
  public:
    virtual ~RegistryObserver() = default;
    // `since_seen`: from the look that found the file's content to its readiness to serve.
    virtual void OnLoaded(const Generation&, MonotonicTime::duration since_seen) {
        (void)since_seen;
    }
    virtual void OnRefused(RefusalReason) {}
    virtual void OnProbed(const ProbeVerdict&, MonotonicTime::duration took) { (void)took; }
    virtual void OnQuarantined(const Generation&, bool rolled_back) { (void)rolled_back; }
    // Another set of plugins serves from now on.
    virtual void OnPublished() {}
};

// One file that is not used, or whose newest content is not.
struct RefusedFile {
    std::filesystem::path file;
    RefusalReason reason = RefusalReason::kProbeFailed;
    std::string message;
    WallTime since;
};

// What a generation is to the set of plugins.
enum class GenerationState {
    kServing,
    kRolledBack,   // serves again, because a newer content of its file is in quarantine
    kLeaving,      // its file is gone; it serves until the grace time is over
    kRetiring,     // finishes the sessions that it has
    kQuarantined,  // the same, after too much misbehaviour
};
std::string_view GenerationStateName(GenerationState state);

// One generation that is alive, for reports.
struct LoadedPlugin {
    std::string id;
    std::string display_name;
    std::string version;
    std::filesystem::path file;
    std::string sha256;
    std::string abi;  // "1.0"
    std::uint64_t generation = 0;
    GenerationState state = GenerationState::kServing;
    Conduct::Figures conduct;  // of this content, over all its generations
    std::vector<std::string> capabilities;
    std::vector<SettingDescriptor> settings;
};

// The plugins of this process, kept in step with the plugin folders: a file that comes is checked,
// probed, loaded and published; one that is replaced becomes a new generation; one that goes takes
// its plugin with it after a grace time. A file that is refused changes nothing for the plugins
// that work. Sessions under way keep the generation that they began with. A content that misbehaves
// while it serves (Conduct) is put in quarantine: the content that its file had before serves
// again, or another file of the same id, or nobody.
//
// Threads: everything public is callable from any thread, unless it says otherwise. All work, and
// every init, deinit and destroy of a plugin, is done on one loader thread. `log`, `observer` and
// `clock` must outlive the registry.
class Registry {
  public:
    Registry(RegistryOptions options, std::unique_ptr<PluginProbe> probe, telemetry::Logger& log,
             RegistryObserver& observer, const Clock& clock = SystemClock());
    ~Registry();
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    // Starts the loader thread and waits for the first look to be done, probes included. Never
    // fails: what cannot be loaded is in Refusals(). Once.
    void Start();

    // Publishes an empty set, retires what nobody uses, ends the thread. What is still used stays
    // mapped and is not deinitialised. Idempotent; the destructor calls it. Not on the loader
    // thread.
    void Stop();

    // Looks now at everything, also again at what was refused, and returns when the result is
    // published. Blocks: not for engine threads. Does nothing on the loader thread or before Start
    // and after Stop.
    void Rescan();
    void RequestRescan();  // the same without waiting

    // The plugins that serve now. Loops keep a PluginSetReader on source() and pay one atomic load.
    PluginSetPtr Snapshot() const { return source_.Get(); }
    const PluginSetSource& source() const { return source_; }

    // Those that serve, by id.
    std::vector<LoadedPlugin> Loaded() const;
    // Those that only finish their sessions, the oldest first.
    std::vector<LoadedPlugin> Retiring() const;
    std::vector<RefusedFile> Refusals() const;
    const ConductTotals& totals() const { return *shelf_.totals(); }

    // Libraries that this process has mapped; they are never unmapped, so a high number is a reason
    // to restart.
    std::size_t kept_libraries() const { return shelf_.kept(); }

    // Runs `task` on the loader thread, in order: for destroy() of provider objects, which must
    // hold their generation in the task. False after Stop(): the task is dropped.
    bool PostToLoader(std::function<void()> task) { return thread_.queue()->Post(std::move(task)); }

    // "a:b" → {a, b}; empty parts are left out.
    static std::vector<std::filesystem::path> SplitPath(std::string_view plugin_path);

  private:
    // What is known of one path. `current` is content that serves or could; `next` is newer content
    // that has not been activated.
    struct File {
        std::filesystem::path path;
        std::uint64_t order = 0;  // of its first sighting
        FileStamp stamp;
        MonotonicTime stamp_since{};
        bool complete = false;
        bool judged = false;
        std::optional<MonotonicTime> missing_since;
        std::shared_ptr<Candidate> probing;
        std::shared_ptr<const Candidate> next;
        MonotonicTime next_seen{};  // when `next` was found
        std::shared_ptr<const Candidate> current;
        std::shared_ptr<const Candidate> previous;  // served before `current`, and well
        GenerationPtr generation;  // of `current`, when it is the one that serves for its id
        std::optional<RefusedFile> refusal;   // of the newest content
        std::optional<RefusedFile> shadowed;  // its content is good, another file serves
    };

    MonotonicTime Turn();
    void LookAt(MonotonicTime now, bool forced);
    void Judge(File& file, MonotonicTime now, bool forced);
    void OnProbed(const security::Sha256Digest& hash, ProbeResult result);
    void OnConduct(const security::Sha256Digest& hash, const std::string& id,
                   const Conduct::Report& report);
    void Quarantine(const security::Sha256Digest& hash, const std::string& id,
                    const std::string& why);
    std::vector<PluginSet::Absence> Absences() const;
    void Settle(File& file, std::shared_ptr<Candidate> candidate, const ProbeVerdict& verdict);
    void SetRefusal(File& file, const Refusal& refusal);
    void Arrange();
    bool ActivateWinners(const std::map<std::string, File*>& winners);
    std::map<std::string, File*> ChooseWinners();
    void Shadow(File& file, const File& winner);
    void Publish();
    void ReleaseWaiters();

    const RegistryOptions options_;
    const std::unique_ptr<PluginProbe> probe_;
    telemetry::Logger& log_;
    RegistryObserver& observer_;
    const Clock& clock_;
    PluginSetSource source_;
    mutable std::mutex refusals_mutex_;
    std::vector<RefusedFile> refusals_;                 // guarded by refusals_mutex_
    std::map<std::uint64_t, GenerationState> serving_;  // the same; by generation

    // Below: the loader thread's.
    LoaderThread thread_;
    Examiner examiner_;
    ProbeCache cache_;
    FolderWatcher watcher_;
    LibraryShelf shelf_;
    ProbeRunner probes_;
    std::map<std::filesystem::path, File> files_;
    // Contents that misbehaved: the id, and the sentence for people. Forgotten when somebody asks
    // for a rescan.
    std::map<security::Sha256Digest, PluginSet::Absence> quarantine_;
    std::uint64_t sightings_ = 0;
    bool first_look_done_ = false;
    bool stopping_ = false;
    MonotonicTime recheck_ = MonotonicTime::max();
    std::vector<std::shared_ptr<std::promise<void>>> waiters_;
};

}  // namespace aim::plugin
