#include "core/rating/live_rating.hpp"

#include <algorithm>

namespace aim::rating {

StoredRow RowOf(const completion::ModelRecord& record) {
    return {record.id, record.version,
            Counters{record.total_requests, record.successful_requests, record.failed_requests,
                     record.response_time_sum_us, record.timed_requests}};
}

Counters CountOutcome(bool success, std::optional<std::chrono::microseconds> response_time) {
    Counters counters;
    counters.total_requests = 1;
    counters.successful_requests = success ? 1 : 0;
    counters.failed_requests = success ? 0 : 1;
    if (response_time) {
        counters.response_time_sum_us = std::max<std::int64_t>(response_time->count(), 0);
        counters.timed_requests = 1;
    }
    return counters;
}

Counters LiveRating::AddPending(const Uuid& model_id, const Counters& outcome) {
    Shard& shard = ShardOf(model_id);
    const std::lock_guard lock(shard.mutex);
    Model& model = shard.models[model_id];
    model.pending += outcome;
    return Publish(model);
}

void LiveRating::BeginDelivery(std::span<const Delta> batch) {
    for (const Delta& delta : batch) {
        Shard& shard = ShardOf(delta.model);
        const std::lock_guard lock(shard.mutex);
        const auto found = shard.models.find(delta.model);
        if (found != shard.models.end()) ++found->second.batches_under_way;
    }
}

void LiveRating::Acknowledge(std::span<const Delta> batch, std::span<const StoredRow> rows) {
    // First the rows: while the batch counts as under way they only wait, so that nobody sees a row
    // beside the pending counts it contains.
    for (const StoredRow& row : rows) ApplyRow(row);
    for (const Delta& delta : batch) {
        Shard& shard = ShardOf(delta.model);
        const std::lock_guard lock(shard.mutex);
        const auto found = shard.models.find(delta.model);
        // Forgotten since the delivery began (and perhaps known anew): its counts went with it.
        if (found == shard.models.end() || found->second.batches_under_way == 0) continue;
        Model& model = found->second;
        model.acknowledged += delta.counters;
        if (--model.batches_under_way > 0) continue;
        model.pending -= model.acknowledged;
        model.acknowledged = Counters{};
        if (model.waiting) {
            const StoredRow row = *model.waiting;
            model.waiting.reset();
            Offer(model, row);
        }
        Publish(model);
    }
}

void LiveRating::ApplyRow(const StoredRow& row) {
    Shard& shard = ShardOf(row.model);
    const std::lock_guard lock(shard.mutex);
    Model& model = shard.models[row.model];
    Offer(model, row);
    Publish(model);
}

void LiveRating::Offer(Model& model, const StoredRow& row) {
    if (row.version <= model.version) return;
    // The first row of a model is taken at once: without it there would be no rating at all.
    if (model.batches_under_way == 0 || model.version == kUnknownVersion) {
        model.version = row.version;
        model.stored = row.counters;
    } else if (!model.waiting || row.version > model.waiting->version) {
        model.waiting = row;
    }
}

void LiveRating::Forget(const Uuid& model_id) {
    Shard& shard = ShardOf(model_id);
    const std::lock_guard lock(shard.mutex);
    if (shard.models.erase(model_id) > 0) generation_.fetch_add(1, std::memory_order_release);
}

Counters LiveRating::Effective(const Uuid& model_id) const {
    const Shard& shard = ShardOf(model_id);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.models.find(model_id);
    if (found == shard.models.end()) return {};
    Counters sum = found->second.stored;
    sum += found->second.pending;
    return sum;
}

std::shared_ptr<const ModelRating> LiveRating::Track(const Uuid& model_id) {
    Shard& shard = ShardOf(model_id);
    const std::lock_guard lock(shard.mutex);
    return shard.models[model_id].rating;
}

Counters LiveRating::Publish(Model& model) {
    Counters sum = model.stored;
    sum += model.pending;
    const std::int64_t score = ComputeReliability(sum).reliability_score.value;
    const bool changed = score != model.rating->score_.load(std::memory_order_relaxed) ||
                         sum.total_requests != model.rating->total_.load(std::memory_order_relaxed);
    if (changed) {
        model.rating->score_.store(score, std::memory_order_relaxed);
        model.rating->total_.store(sum.total_requests, std::memory_order_relaxed);
        generation_.fetch_add(1, std::memory_order_release);
    }
    return sum;
}

}  // namespace aim::rating
