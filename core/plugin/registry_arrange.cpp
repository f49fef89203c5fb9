// The half of the registry that decides which of the good files serve, and publishes them.
#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "core/plugin/registry.hpp"

namespace aim::plugin {
namespace {

std::string VersionName(const PluginVersion& version) {
    return std::to_string(version.numbers[0]) + "." + std::to_string(version.numbers[1]) + "." +
           std::to_string(version.numbers[2]);
}

}  // namespace

std::map<std::string, Registry::File*> Registry::ChooseWinners() {
    // Higher version first; on a tie the file that serves stays; else the one that was seen first.
    const auto content = [](const File& file) {
        return file.next ? file.next.get() : file.current.get();
    };
    std::map<std::string, File*> winners;
    for (auto& [path, file] : files_) {
        const Candidate* const candidate = content(file);
        if (candidate == nullptr) continue;
        File*& winner = winners[candidate->id];
        if (winner == nullptr) {
            winner = &file;
            continue;
        }
        const auto rank = [&](const File& of) {
            const bool serves = of.generation && of.generation->descriptor().id == candidate->id;
            return std::tuple(content(of)->version, serves, ~of.order);
        };
        if (rank(file) > rank(*winner)) winner = &file;
    }
    return winners;
}

bool Registry::ActivateWinners(const std::map<std::string, File*>& winners) {
    for (const auto& [id, file] : winners) {
        const std::shared_ptr<const Candidate> wanted = file->next ? file->next : file->current;
        if (!file->generation || file->generation->hash() != wanted->hash) {
            auto generation = shelf_.Activate(*wanted);
            if (!generation) {
                SetRefusal(*file, generation.error());
                // The content that served before, if there is one, goes on.
                (file->next ? file->next : file->current).reset();
                return false;
            }
            file->generation = std::move(*generation);
            const auto since_seen =
                file->next ? clock_.Now() - file->next_seen : MonotonicTime::duration(0);
            observer_.OnLoaded(*file->generation, since_seen);
            log_.Info(
                "plugin_loaded", "Plugin loaded",
                {{"plugin", id},
                 {"version", file->generation->descriptor().version},
                 {"file", file->path.native()},
                 {"sha256", security::ToHex(wanted->hash)},
                 {"generation", file->generation->number()},
                 {"publish_ms", std::chrono::ceil<std::chrono::milliseconds>(since_seen).count()},
                 {"note", wanted->note.has_value()}});
        }
        if (file->current && file->current != wanted) file->previous = file->current;
        file->current = wanted;
        if (file->next) file->refusal.reset();
        file->next.reset();
        file->shadowed.reset();
    }
    return true;
}

void Registry::Shadow(File& file, const File& winner) {
    if (file.next) {
        file.current = std::exchange(file.next, nullptr);
        file.refusal.reset();
    }
    file.generation.reset();
    const std::string message =
        "plugin " + file.current->id + " " + VersionName(file.current->version) + " is also in " +
        winner.path.string() + " as " + VersionName(winner.current->version) +
        ", which is used: of one id the higher version serves, on a tie the first; remove one of "
        "them";
    if (file.shadowed && file.shadowed->message == message) return;
    file.shadowed = RefusedFile{file.path, RefusalReason::kDuplicateId, message, clock_.WallNow()};
    observer_.OnRefused(RefusalReason::kDuplicateId);
    log_.Warning(
        "plugin_refused", message,
        {{"file", file.path.native()}, {"reason", RefusalName(RefusalReason::kDuplicateId)}});
}

void Registry::OnConduct(const security::Sha256Digest& hash, const std::string& id,
                         const Conduct::Report& report) {
    if (stopping_) return;
    switch (report.kind) {
        case Conduct::Report::Kind::kFirstMisbehaviour:
            log_.Warning("plugin_misbehaved", report.detail,
                         {{"plugin", id},
                          {"sha256", security::ToHex(hash)},
                          {"kind", MisbehaviourName(report.misbehaviour)}});
            return;
        case Conduct::Report::Kind::kFirstSlowCall:
            log_.Warning("plugin_slow", report.detail,
                         {{"plugin", id}, {"sha256", security::ToHex(hash)}});
            return;
        case Conduct::Report::Kind::kQuarantined:
            Quarantine(hash, id, report.detail);
            Arrange();
            return;
    }
}

void Registry::Quarantine(const security::Sha256Digest& hash, const std::string& id,
                          const std::string& why) {
    const std::string message =
        "the plugin " + why +
        ": put a repaired file in its place, or POST /api/v1/plugins/rescan to try it again";
    quarantine_[hash] = {id, message};
    for (auto& [path, file] : files_) {
        if (file.previous && file.previous->hash == hash) file.previous.reset();
        if (!file.current || file.current->hash != hash) continue;
        const GenerationPtr fallen = std::exchange(file.generation, nullptr);
        const bool back = file.previous && file.previous->id == file.current->id;
        file.current = back ? std::exchange(file.previous, nullptr) : nullptr;
        SetRefusal(file, Refusal{RefusalReason::kQuarantined, message});
        log_.Error(
            "plugin_quarantined", message,
            {{"file", path.native()}, {"sha256", security::ToHex(hash)}, {"rolled_back", back}});
        if (fallen) observer_.OnQuarantined(*fallen, back);
    }
}

// Of those in quarantine the ones whose file is there and whose id nobody else serves.
std::vector<PluginSet::Absence> Registry::Absences() const {
    std::vector<PluginSet::Absence> absences;
    for (const auto& [hash, absence] : quarantine_) {
        bool there = false;
        bool served = false;
        for (const auto& [path, file] : files_) {
            there = there || (file.refusal && file.refusal->message == absence.reason);
            served = served || (file.generation && file.generation->descriptor().id == absence.id);
        }
        if (there && !served) absences.push_back(absence);
    }
    return absences;
}

void Registry::Arrange() {
    // The first set is built when everything is known, so that it does not depend on which probe
    // was faster.
    if (first_look_done_ || probes_.idle()) {
        std::map<std::string, File*> winners = ChooseWinners();
        while (!ActivateWinners(winners)) winners = ChooseWinners();
        for (auto& [path, file] : files_) {
            const Candidate* const candidate = file.next ? file.next.get() : file.current.get();
            if (candidate == nullptr) continue;
            const File& winner = *winners.at(candidate->id);
            if (&winner != &file) Shadow(file, winner);
        }
        Publish();
    }
    ReleaseWaiters();
}

void Registry::Publish() {
    std::vector<GenerationPtr> generations;
    std::vector<RefusedFile> refusals;
    std::map<std::uint64_t, GenerationState> serving;
    for (const auto& [path, file] : files_) {
        if (file.generation) {
            generations.push_back(file.generation);
            serving[file.generation->number()] =
                file.missing_since ? GenerationState::kLeaving
                : file.refusal && file.refusal->reason == RefusalReason::kQuarantined
                    ? GenerationState::kRolledBack
                    : GenerationState::kServing;
        }
        if (file.refusal) {
            refusals.push_back(*file.refusal);
        } else if (file.shadowed) {
            refusals.push_back(*file.shadowed);
        }
    }
    {
        const std::lock_guard lock(refusals_mutex_);
        refusals_ = std::move(refusals);
        serving_ = std::move(serving);
    }
    auto set = std::make_shared<const PluginSet>(std::move(generations), Absences());
    const PluginSetPtr old = source_.Get();
    if (set->generations() == old->generations() && set->absences() == old->absences()) return;
    source_.Publish(std::move(set));
    observer_.OnPublished();
}

void Registry::ReleaseWaiters() {
    if (!probes_.idle()) return;
    first_look_done_ = true;
    for (const auto& waiter : waiters_) waiter->set_value();
    waiters_.clear();
}

}  // namespace aim::plugin
