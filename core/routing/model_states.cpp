#include "core/routing/model_states.hpp"

#include <unordered_set>

namespace aim::routing {

void ChangeLog::Add(const Uuid& model) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t position = head_.load(std::memory_order_relaxed);
    if (ring_.size() < kKept) {
        ring_.push_back(model);
    } else {
        ring_[position % kKept] = model;
    }
    head_.store(position + 1, std::memory_order_release);
}

bool ChangeLog::Read(std::uint64_t& cursor, std::vector<Uuid>& out) const {
    const std::lock_guard lock(mutex_);
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    if (head - cursor > kKept) {
        cursor = head;
        return false;
    }
    for (; cursor < head; ++cursor) out.push_back(ring_[cursor % kKept]);
    return true;
}

std::shared_ptr<ModelState> ModelStates::Get(const Uuid& model) {
    const std::lock_guard lock(mutex_);
    auto& state = states_[model];
    if (!state) state = std::make_shared<ModelState>(model, live_.Track(model));
    return state;
}

void ModelStates::KeepOnly(std::span<const Uuid> models) {
    const std::unordered_set<Uuid> kept(models.begin(), models.end());
    const std::lock_guard lock(mutex_);
    std::erase_if(states_, [&](const auto& entry) {
        if (kept.contains(entry.first)) return false;
        live_.Forget(entry.first);
        return true;
    });
}

rating::Reliability ModelStates::AddOutcome(const Uuid& model, bool success,
                                            std::chrono::microseconds response_time) {
    const rating::Counters after =
        live_.AddPending(model, rating::CountOutcome(success, response_time));
    changes_.Add(model);
    return rating::ComputeReliability(after);
}

void ModelStates::Acknowledge(std::span<const rating::Delta> batch,
                              std::span<const rating::StoredRow> rows) {
    live_.Acknowledge(batch, rows);
    for (const rating::Delta& delta : batch) changes_.Add(delta.model);
}

void ModelStates::ApplyRow(const rating::StoredRow& row) {
    live_.ApplyRow(row);
    changes_.Add(row.model);
}

}  // namespace aim::routing
