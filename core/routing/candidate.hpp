#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/completion/chat_request.hpp"
#include "core/completion/model_record.hpp"
#include "core/routing/model_states.hpp"

namespace aim::routing {

// Whether a row can be used at all, before its health is looked at.
enum class Availability { kAvailable, kNotConfigured, kNoPlugin, kInactive };

// What a request needs of a model, and what a model has: one bit each.
enum Capability : std::uint32_t {
    kStream = 1,
    kTools = 2,
    kJsonSchema = 4,
    kVision = 8,
    kEmbeddings = 16
};

// What is asked of a model.
enum class Operation { kChat, kEmbeddings };

// The bits of a row; absent means all.
std::uint32_t CapabilityBits(const std::optional<std::vector<std::string>>& names);
std::uint32_t NeededCapabilities(const completion::ChatRequest& request);
// The request's field that asks for the lowest of these bits: "tools".
std::string_view CapabilityField(std::uint32_t bits);

// The four timers of an attempt (design section 6), globally or as a row sets them.
struct AttemptTimeouts {
    std::chrono::milliseconds connect{5000};
    std::chrono::milliseconds first_content{20000};
    std::chrono::milliseconds between_content{30000};
    std::chrono::milliseconds attempt{90000};
};

// What a candidate is played on; the pipeline's own business.
class CandidateTarget {
  public:
    virtual ~CandidateTarget() = default;
};

// A row of the catalogue joined with the plugin that plays it. Immutable; its health lives in
// `state`, which outlasts catalogue snapshots.
struct Candidate {
    std::shared_ptr<const completion::ModelRecord> row;
    std::shared_ptr<ModelState> state;
    Availability availability = Availability::kNoPlugin;
    std::string unavailable_reason;  // for people; empty when available
    bool played_by_mock = false;
    bool has_real_secret = false;
    std::uint32_t capabilities = ~0u;
    // What the model may be asked for, as its plugin can and its row says. A row that says nothing
    // is a chat model; it embeds when it is asked for by name.
    bool chats = true;
    bool embeds = false;
    bool listed_for_embeddings = false;  // the row says so
    AttemptTimeouts timeouts;
    std::shared_ptr<const CandidateTarget> target;
};

// Whether the vectors of both mean the same: one model, as its providers call it, ignoring case.
// The mock's are nobody else's.
bool HaveTheSameVectors(const Candidate& a, const Candidate& b);

// All candidates at one moment. Immutable.
class RoutingTable {
  public:
    explicit RoutingTable(std::vector<Candidate> candidates);

    const std::vector<Candidate>& candidates() const { return candidates_; }
    const Candidate* FindByName(std::string_view name) const;
    const Candidate* FindById(const Uuid& id) const;
    // An active, usable model has a real secret: then those that the mock plays stay out of the
    // choice.
    bool any_real() const { return any_real_; }

  private:
    std::vector<Candidate> candidates_;
    std::unordered_map<std::string_view, std::size_t> by_name_;
    std::unordered_map<Uuid, std::size_t> by_id_;
    bool any_real_ = false;
};

}  // namespace aim::routing
