#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/clock.hpp"
#include "core/routing/candidate.hpp"

namespace aim::routing {

// What the next attempt must have.
struct Wanted {
    Operation operation = Operation::kChat;
    // Embeddings only: a model whose vectors are comparable with this one's. Null: any model whose
    // row says that it embeds.
    const Candidate* same_vectors_as = nullptr;
    std::uint32_t capabilities = 0;
    bool include_mock = true;
    // Only models whose known window is larger (after context_too_long).
    std::optional<std::int64_t> window_over;
    std::span<const Candidate* const> tried = {};
};

// Whether the model can do what is wanted, however it is now.
bool IsCapable(const Candidate& candidate, const Wanted& wanted);

// The result of a choice: a candidate, or why there is none.
struct Choice {
    const Candidate* candidate = nullptr;
    bool forced = false;  // its breaker is open, like everybody's
    // Without a candidate: usable models rest, the soonest for so long. Absent: there is no usable
    // model at all.
    std::optional<std::chrono::milliseconds> soonest;
    const Candidate* soonest_candidate = nullptr;
    // Without a candidate: the only model that the caller takes, which cannot be used.
    const Candidate* unusable = nullptr;
    // Without a candidate: models were left out only because of what they cannot do.
    bool incapable = false;
};

// Picks the best candidate by rating. Keeps the candidates of the newest table in order and moves
// only those whose figures changed, so that a choice costs a look at the top of the order. One a
// loop, used on its thread; the states behind are shared.
class Chooser {
  public:
    explicit Chooser(const ModelStates& states) : states_(states) {}

    // Takes a table over; cheap when it is the one that is known already.
    void Use(std::shared_ptr<const RoutingTable> table);
    const std::shared_ptr<const RoutingTable>& table() const { return table_; }

    // The best active, usable, capable candidate that is not resting and whose breaker lets it
    // pass; when all that are left have open breakers, the best of those. Takes no permit.
    Choice Best(const Wanted& wanted, MonotonicTime now);

  private:
    struct Key {
        rating::Hundredths score;
        std::uint64_t total_requests;
        std::uint32_t index;
    };
    struct Less {
        const Chooser* owner;
        bool operator()(const Key& a, const Key& b) const;
    };

    void Sort();
    void CatchUp();
    Key KeyOf(std::uint32_t index) const;

    const ModelStates& states_;
    std::shared_ptr<const RoutingTable> table_;
    std::uint64_t cursor_ = 0;
    std::set<Key, Less> order_{Less{this}};
    std::vector<std::set<Key, Less>::iterator>
        places_;  // by index; order_.end() for those that are never chosen
    std::unordered_map<Uuid, std::uint32_t> index_of_;
    std::vector<Uuid> changed_;
};

}  // namespace aim::routing
