#include "core/plugin/registry.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <unistd.h>

namespace aim::plugin {
namespace {

ReadLimits LimitsOf(const RegistryOptions& options) {
    ReadLimits limits;
    limits.max_bytes = options.max_file_bytes;
    limits.owner = ::geteuid();
    return limits;
}

LoadedPlugin Describe(const Generation& generation, GenerationState state) {
    const Descriptor& descriptor = generation.descriptor();
    LoadedPlugin plugin;
    plugin.id = descriptor.id;
    plugin.display_name = descriptor.display_name;
    plugin.version = descriptor.version;
    plugin.file = generation.path();
    plugin.sha256 = security::ToHex(generation.hash());
    plugin.abi =
        std::to_string(generation.abi_major()) + "." + std::to_string(generation.abi_minor());
    plugin.generation = generation.number();
    plugin.state = state;
    plugin.conduct = generation.conduct()->figures();
    plugin.capabilities = descriptor.capabilities;
    plugin.settings = descriptor.settings;
    return plugin;
}

}  // namespace

std::string_view GenerationStateName(GenerationState state) {
    switch (state) {
        case GenerationState::kRolledBack:
            return "rolled_back";
        case GenerationState::kLeaving:
            return "leaving";
        case GenerationState::kRetiring:
            return "retiring";
        case GenerationState::kQuarantined:
            return "quarantined";
        default:
            return "serving";
    }
}

Registry::Registry(RegistryOptions options, std::unique_ptr<PluginProbe> probe,
                   telemetry::Logger& log, RegistryObserver& observer, const Clock& clock)
    : options_(std::move(options)),
      probe_(std::move(probe)),
      log_(log),
      observer_(observer),
      clock_(clock),
      examiner_(LimitsOf(options_), options_.trust,
                PluginStage(options_.state_dir / "plugin-stage")),
      cache_(options_.state_dir / "plugin-probe-cache",
             options_.host_version + "/" + probe_->Identity()),
      watcher_(options_.folders, options_.watch),
      shelf_(thread_.queue(), log_, clock_, options_.host_version,
             [this](const security::Sha256Digest& hash, const std::string& id,
                    const Conduct::Report& report) { OnConduct(hash, id, report); }),
      probes_(*probe_, thread_.queue(),
              [this](const security::Sha256Digest& hash, ProbeResult result) {
                  OnProbed(hash, std::move(result));
              }) {}

Registry::~Registry() { Stop(); }

void Registry::Start() {
    const auto done = std::make_shared<std::promise<void>>();
    auto published = done->get_future();
    thread_.queue()->Post([this, done] {
        examiner_.Sweep();
        waiters_.push_back(done);
        LookAt(clock_.Now(), true);
    });
    thread_.Start(watcher_.fd(), [this] { return Turn(); });
    published.wait_for(options_.start_wait);
}

void Registry::Stop() {
    thread_.queue()->Post([this] {
        stopping_ = true;
        probes_.Cancel();
        files_.clear();
        Publish();
        waiters_.clear();
    });
    thread_.Stop();
    probes_.Join();
}

void Registry::Rescan() {
    if (thread_.IsCurrent()) return;
    const auto done = std::make_shared<std::promise<void>>();
    auto published = done->get_future();
    if (!thread_.queue()->Post([this, done] {
            waiters_.push_back(done);
            LookAt(clock_.Now(), true);
        })) {
        return;
    }
    // Also ends when Stop() drops the promise.
    published.wait();
}

void Registry::RequestRescan() {
    thread_.queue()->Post([this] { LookAt(clock_.Now(), true); });
}

std::vector<LoadedPlugin> Registry::Loaded() const {
    std::vector<LoadedPlugin> list;
    const PluginSetPtr set = Snapshot();
    const std::lock_guard lock(refusals_mutex_);
    for (const GenerationPtr& generation : set->generations()) {
        const auto state = serving_.find(generation->number());
        list.push_back(Describe(
            *generation, state == serving_.end() ? GenerationState::kServing : state->second));
    }
    return list;
}

std::vector<LoadedPlugin> Registry::Retiring() const {
    std::vector<LoadedPlugin> list;
    const PluginSetPtr set = Snapshot();
    const auto& serving = set->generations();
    for (const GenerationPtr& generation : shelf_.Live()) {
        if (std::find(serving.begin(), serving.end(), generation) != serving.end()) continue;
        list.push_back(Describe(*generation, generation->conduct()->quarantined()
                                                 ? GenerationState::kQuarantined
                                                 : GenerationState::kRetiring));
    }
    return list;
}

std::vector<RefusedFile> Registry::Refusals() const {
    const std::lock_guard lock(refusals_mutex_);
    return refusals_;
}

std::vector<std::filesystem::path> Registry::SplitPath(std::string_view plugin_path) {
    std::vector<std::filesystem::path> folders;
    while (!plugin_path.empty()) {
        const std::string_view part = plugin_path.substr(0, plugin_path.find(':'));
        plugin_path.remove_prefix(std::min(plugin_path.size(), part.size() + 1));
        if (!part.empty()) folders.emplace_back(part);
    }
    return folders;
}

MonotonicTime Registry::Turn() {
    const MonotonicTime now = clock_.Now();
    watcher_.DrainNotifications(now);
    if (now >= std::min(watcher_.NextLook(), recheck_)) LookAt(now, false);
    return std::min(watcher_.NextLook(), recheck_);
}

void Registry::LookAt(MonotonicTime now, bool forced) {
    if (stopping_) return;
    recheck_ = MonotonicTime::max();
    std::set<std::filesystem::path> seen;
    for (FileSighting& sighting : watcher_.Look(now)) {
        seen.insert(sighting.path);
        const auto [entry, is_new] = files_.try_emplace(sighting.path);
        File& file = entry->second;
        if (is_new) {
            file.path = sighting.path;
            file.order = ++sightings_;
        }
        file.missing_since.reset();
        if (is_new || file.stamp != sighting.stamp) {
            file.stamp = sighting.stamp;
            file.stamp_since = now;
            file.judged = false;
            file.complete = false;
        }
        file.complete = file.complete || sighting.complete;
        const bool due = forced || file.complete || now - file.stamp_since >= options_.settle;
        if ((!file.judged && due) || (forced && file.refusal)) {
            Judge(file, now, forced);
        } else if (!file.judged) {
            recheck_ = std::min(recheck_, file.stamp_since + options_.settle);
        }
    }
    for (auto entry = files_.begin(); entry != files_.end();) {
        File& file = entry->second;
        if (seen.count(entry->first) == 0) {
            if (!file.missing_since) file.missing_since = now;
            if (now - *file.missing_since >= options_.removal_grace || !file.generation) {
                entry = files_.erase(entry);
                continue;
            }
            recheck_ = std::min(recheck_, *file.missing_since + options_.removal_grace);
        }
        ++entry;
    }
    Arrange();
}

void Registry::Judge(File& file, MonotonicTime now, bool forced) {
    file.judged = true;
    file.complete = false;
    auto content = examiner_.Read(file.path);
    if (!content) {
        if (content.error().reason == RefusalReason::kStillChanging) {
            file.judged = false;
            file.stamp_since = now;
            recheck_ = std::min(recheck_, now + options_.settle);
        }
        SetRefusal(file, content.error());
        return;
    }
    file.stamp = content->stamp;
    file.probing.reset();
    file.next.reset();
    file.next_seen = now;
    if (const auto held = quarantine_.find(content->hash); held != quarantine_.end()) {
        if (!forced) {
            SetRefusal(file, Refusal{RefusalReason::kQuarantined, held->second.reason});
            return;
        }
        log_.Warning("plugin_released", "A plugin leaves quarantine: somebody asked for a rescan",
                     {{"file", file.path.native()}, {"sha256", security::ToHex(content->hash)}});
        shelf_.Pardon(content->hash);
        quarantine_.erase(held);
    }
    if (file.current && file.current->hash == content->hash) {
        file.refusal.reset();
        return;
    }
    auto checked = examiner_.Prepare(file.path, *content);
    if (!checked) {
        SetRefusal(file, checked.error());
        return;
    }
    auto candidate = std::make_shared<Candidate>(std::move(*checked));
    const auto known = cache_.Find(candidate->hash, clock_.WallNow());
    // A look that somebody asked for gives a file that failed another chance.
    if (known && !(forced && first_look_done_ && known->refusal)) {
        Settle(file, std::move(candidate), *known);
        return;
    }
    file.probing = candidate;
    probes_.Submit(candidate->hash, candidate->staged);
}

void Registry::OnProbed(const security::Sha256Digest& hash, ProbeResult result) {
    if (stopping_) return;
    observer_.OnProbed(result.verdict, result.took);
    if (result.conclusive) cache_.Store(hash, result.verdict, clock_.WallNow());
    for (auto& [path, file] : files_) {
        if (!file.probing || file.probing->hash != hash) continue;
        Settle(file, std::exchange(file.probing, nullptr), result.verdict);
    }
    Arrange();
}

void Registry::Settle(File& file, std::shared_ptr<Candidate> candidate,
                      const ProbeVerdict& verdict) {
    if (verdict.refusal) {
        SetRefusal(file, *verdict.refusal);
        return;
    }
    candidate->id = verdict.id;
    candidate->version = PluginVersion::Parse(verdict.version).value_or(PluginVersion{});
    file.next = std::move(candidate);
}

void Registry::SetRefusal(File& file, const Refusal& refusal) {
    if (file.refusal && file.refusal->reason == refusal.reason &&
        file.refusal->message == refusal.message)
        return;
    file.refusal = RefusedFile{file.path, refusal.reason, refusal.message, clock_.WallNow()};
    observer_.OnRefused(refusal.reason);
    log_.Warning("plugin_refused", refusal.message,
                 {{"file", file.path.native()}, {"reason", RefusalName(refusal.reason)}});
}

}  // namespace aim::plugin
