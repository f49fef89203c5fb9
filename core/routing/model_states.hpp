#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/uuid.hpp"
#include "core/rating/live_rating.hpp"
#include "core/resilience/circuit_breaker.hpp"
#include "core/resilience/cooldown.hpp"

namespace aim::routing {

// The health of one model as this process sees it. Thread-safe; lives as long as anybody refers to
// it.
struct ModelState {
    explicit ModelState(const Uuid& model, std::shared_ptr<const rating::ModelRating> figures)
        : id(model), rating(std::move(figures)) {}

    const Uuid id;
    const std::shared_ptr<const rating::ModelRating> rating;
    resilience::CircuitBreaker breaker;
    resilience::Cooldown cooldown;
    // When anybody last asked the model, as the catalogue says; the epoch: never. Not read from the
    // table's rows, which stay as they were while only figures change.
    std::atomic<WallTime> last_check{WallTime()};
};

// Which models' figures have changed, in order, so that every loop can put just those to their new
// place in its own order. A loop that fell behind the log's length sorts anew. Thread-safe.
class ChangeLog {
  public:
    static constexpr std::size_t kKept = 4096;

    void Add(const Uuid& model);

    // The number of changes so far; cheap, for "anything new?".
    std::uint64_t head() const { return head_.load(std::memory_order_acquire); }

    // Appends the models changed since `cursor` to `out` and moves it to the head. False when some
    // of them are no longer known.
    bool Read(std::uint64_t& cursor, std::vector<Uuid>& out) const;

  private:
    mutable std::mutex mutex_;
    std::vector<Uuid> ring_;
    std::atomic<std::uint64_t> head_{0};
};

// The states of all models, by id, and the way in which their ratings change. Outlives every
// snapshot of the catalogue. Thread-safe.
class ModelStates {
  public:
    // The state of a model; made when it is new.
    std::shared_ptr<ModelState> Get(const Uuid& model);

    // Forgets models that are not among these.
    void KeepOnly(std::span<const Uuid> models);

    // What an outcome does to the rating, at once; the ledger delivers it later.
    rating::Reliability AddOutcome(const Uuid& model, bool success,
                                   std::chrono::microseconds response_time);

    void BeginDelivery(std::span<const rating::Delta> batch) { live_.BeginDelivery(batch); }
    void Acknowledge(std::span<const rating::Delta> batch, std::span<const rating::StoredRow> rows);
    void ApplyRow(const rating::StoredRow& row);

    rating::Reliability Rating(const Uuid& model) const { return live_.Rating(model); }
    rating::Counters Effective(const Uuid& model) const { return live_.Effective(model); }
    const ChangeLog& changes() const { return changes_; }

  private:
    rating::LiveRating live_;
    ChangeLog changes_;
    mutable std::mutex mutex_;
    std::unordered_map<Uuid, std::shared_ptr<ModelState>> states_;
};

}  // namespace aim::routing
