#include "core/routing/chooser.hpp"

#include <algorithm>

namespace aim::routing {

bool IsCapable(const Candidate& candidate, const Wanted& wanted) {
    if (wanted.operation == Operation::kChat)
        return candidate.chats &&
               (candidate.capabilities & wanted.capabilities) == wanted.capabilities;
    if (wanted.same_vectors_as == nullptr) return candidate.listed_for_embeddings;
    return candidate.embeds && HaveTheSameVectors(candidate, *wanted.same_vectors_as);
}

bool Chooser::Less::operator()(const Key& a, const Key& b) const {
    if (a.score != b.score) return a.score > b.score;
    if (a.total_requests != b.total_requests) return a.total_requests < b.total_requests;
    if (a.index == b.index) return false;
    const auto& candidates = owner->table_->candidates();
    return candidates[a.index].row->name < candidates[b.index].row->name;
}

Chooser::Key Chooser::KeyOf(std::uint32_t index) const {
    const rating::ModelRating& rating = *table_->candidates()[index].state->rating;
    return {rating.score(), static_cast<std::uint64_t>(rating.total_requests()), index};
}

void Chooser::Use(std::shared_ptr<const RoutingTable> table) {
    if (table == table_) return;
    order_.clear();  // its order refers to the old table's names
    table_ = std::move(table);
    Sort();
}

void Chooser::Sort() {
    cursor_ = states_.changes().head();
    order_.clear();
    index_of_.clear();
    const auto& candidates = table_->candidates();
    places_.assign(candidates.size(), order_.end());
    for (std::uint32_t i = 0; i < candidates.size(); ++i) {
        if (candidates[i].availability != Availability::kAvailable) continue;
        index_of_.emplace(candidates[i].row->id, i);
        places_[i] = order_.insert(KeyOf(i)).first;
    }
}

void Chooser::CatchUp() {
    if (states_.changes().head() == cursor_) return;
    changed_.clear();
    if (!states_.changes().Read(cursor_, changed_)) return Sort();
    for (const Uuid& model : changed_) {
        const auto found = index_of_.find(model);
        if (found == index_of_.end()) continue;
        const std::uint32_t index = found->second;
        auto node = order_.extract(places_[index]);
        node.value() = KeyOf(index);
        places_[index] = order_.insert(std::move(node)).position;
    }
}

Choice Chooser::Best(const Wanted& wanted, MonotonicTime now) {
    Choice choice;
    if (table_ == nullptr) return choice;
    CatchUp();
    const Candidate* open = nullptr;
    for (const Key& key : order_) {
        const Candidate& candidate = table_->candidates()[key.index];
        if (candidate.played_by_mock && !wanted.include_mock) continue;
        if (std::find(wanted.tried.begin(), wanted.tried.end(), &candidate) != wanted.tried.end())
            continue;
        if (wanted.window_over && candidate.row->context_window.value_or(0) <= *wanted.window_over)
            continue;
        if (!IsCapable(candidate, wanted)) {
            choice.incapable = true;
            continue;
        }
        const auto rest = candidate.state->cooldown.Remaining(now);
        if (rest > std::chrono::milliseconds(0)) {
            if (!choice.soonest || rest < *choice.soonest) {
                choice.soonest = rest;
                choice.soonest_candidate = &candidate;
            }
            continue;
        }
        if (!candidate.state->breaker.MayPass(now)) {
            if (open == nullptr) open = &candidate;
            continue;
        }
        choice.candidate = &candidate;
        return choice;
    }
    if (open != nullptr) {
        choice.candidate = open;
        choice.forced = true;
    }
    return choice;
}

}  // namespace aim::routing
