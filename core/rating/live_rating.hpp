#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/base/uuid.hpp"
#include "core/completion/model_record.hpp"
#include "core/rating/reliability.hpp"

namespace aim::rating {

// A model's figures at this moment, readable from any thread without a lock; kept by LiveRating,
// which alone changes them.
class ModelRating {
  public:
    Hundredths score() const { return {score_.load(std::memory_order_relaxed)}; }
    std::int64_t total_requests() const { return total_.load(std::memory_order_relaxed); }

  private:
    friend class LiveRating;
    std::atomic<std::int64_t> score_{10000};
    std::atomic<std::int64_t> total_{0};
};

// A model's row as the data API sent it; `version` grows with every change of the row.
struct StoredRow {
    Uuid model;
    std::int64_t version = 0;
    Counters counters;
};

StoredRow RowOf(const completion::ModelRecord& record);

// What a batch of the ledger adds to one model, of those outcomes that count.
struct Delta {
    Uuid model;
    Counters counters;
};

// One outcome as counters.
Counters CountOutcome(bool success, std::optional<std::chrono::microseconds> response_time);

// The rating by which this process chooses: the stored counters of each model plus the outcomes of
// this process that the store has not counted yet. Exact over any order of catalogue refreshes and
// ledger answers: nothing is counted twice, nothing is lost. The rule: while a batch is under way
// nobody knows whether a newer row already contains it, so such a row waits until the last batch
// under way that touches the model is acknowledged; then, in one step, the batches' counts leave
// the pending ones and the row with the highest version takes effect. Thread-safe; outcomes of
// different models rarely meet.
class LiveRating {
  public:
    // Adds an outcome that was (or is about to be) written to the ledger, and returns the model's
    // counters after it.
    Counters AddPending(const Uuid& model, const Counters& outcome);

    // A batch with these counts is about to be sent for the first time. A repetition of the same
    // batch says nothing.
    void BeginDelivery(std::span<const Delta> batch);

    // The store has answered the batch. `rows` are the models' rows of the answer: it must name
    // every model of the batch that still exists, duplicates too; a model without a row keeps what
    // the next refresh brings.
    void Acknowledge(std::span<const Delta> batch, std::span<const StoredRow> rows);

    // A row from the catalogue; one that is not newer than the known one changes nothing.
    void ApplyRow(const StoredRow& row);

    // The model is gone from the catalogue; what is pending for it is forgotten.
    void Forget(const Uuid& model);

    Counters Effective(const Uuid& model) const;
    Reliability Rating(const Uuid& model) const { return ComputeReliability(Effective(model)); }

    // The model's figures for readers on the hot path; never null, the same object until Forget().
    std::shared_ptr<const ModelRating> Track(const Uuid& model);

    // Grows whenever a figure of any model has changed: who keeps an order sorts again only then.
    std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

  private:
    static constexpr std::int64_t kUnknownVersion = -1;

    struct Model {
        std::int64_t version = kUnknownVersion;
        Counters stored;
        Counters pending;       // everything that `stored` does not contain
        Counters acknowledged;  // the part of `pending` that the waiting row contains
        std::uint32_t batches_under_way = 0;
        std::optional<StoredRow> waiting;
        std::shared_ptr<ModelRating> rating = std::make_shared<ModelRating>();
    };
    struct alignas(64) Shard {
        mutable std::mutex mutex;
        std::unordered_map<Uuid, Model> models;
    };

    Shard& ShardOf(const Uuid& model) { return shards_[std::hash<Uuid>{}(model) % shards_.size()]; }
    const Shard& ShardOf(const Uuid& model) const {
        return shards_[std::hash<Uuid>{}(model) % shards_.size()];
    }
    void Offer(Model& model, const StoredRow& row);
    Counters Publish(Model& model);

    std::array<Shard, 16> shards_;
    std::atomic<std::uint64_t> generation_{0};
};

}  // namespace aim::rating
