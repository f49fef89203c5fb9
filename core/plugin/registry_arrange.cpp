// The half of the registry that decides which of the good files serve, and publishes them.
#include <algorithm>
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
            observer_.OnLoaded(*file->generation);
            log_.Info("plugin_loaded", "Plugin loaded",
                      {{"plugin", id},
                       {"version", file->generation->descriptor().version},
                       {"file", file->path.native()},
                       {"sha256", security::ToHex(wanted->hash)},
                       {"generation", file->generation->number()},
                       {"note", wanted->note.has_value()}});
        }
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
    for (const auto& [path, file] : files_) {
        if (file.generation) generations.push_back(file.generation);
        if (file.refusal) {
            refusals.push_back(*file.refusal);
        } else if (file.shadowed) {
            refusals.push_back(*file.shadowed);
        }
    }
    {
        const std::lock_guard lock(refusals_mutex_);
        refusals_ = std::move(refusals);
    }
    auto set = std::make_shared<const PluginSet>(std::move(generations));
    if (set->generations() != source_.Get()->generations()) source_.Publish(std::move(set));
}

void Registry::ReleaseWaiters() {
    if (!probes_.idle()) return;
    first_look_done_ = true;
    for (const auto& waiter : waiters_) waiter->set_value();
    waiters_.clear();
}

}  // namespace aim::plugin
