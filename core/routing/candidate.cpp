#include "core/routing/candidate.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace aim::routing {
namespace {

constexpr std::array<std::pair<std::string_view, std::uint32_t>, 5> kCapabilities = {
    {{"stream", kStream},
     {"tools", kTools},
     {"json_schema", kJsonSchema},
     {"vision", kVision},
     {"embeddings", kEmbeddings}}};

}  // namespace

std::uint32_t CapabilityBits(const std::optional<std::vector<std::string>>& names) {
    if (!names) return ~0u;
    std::uint32_t bits = 0;
    for (const std::string& name : *names) {
        for (const auto& [known, bit] : kCapabilities) {
            if (name == known) bits |= bit;
        }
    }
    return bits;
}

std::uint32_t NeededCapabilities(const completion::ChatRequest& request) {
    std::uint32_t bits = 0;
    if (request.stream) bits |= kStream;
    if (request.has_tools || request.has_tool_turns) bits |= kTools;
    if (request.has_json_schema) bits |= kJsonSchema;
    if (request.has_parts) bits |= kVision;
    return bits;
}

std::string_view CapabilityField(std::uint32_t bits) {
    if (bits & kStream) return "stream";
    if (bits & kTools) return "tools";
    if (bits & kJsonSchema) return "response_format";
    if (bits & kVision) return "messages";
    return "model";
}

bool HaveTheSameVectors(const Candidate& a, const Candidate& b) {
    const std::string& x = a.row->upstream_model;
    const std::string& y = b.row->upstream_model;
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    };
    return a.played_by_mock == b.played_by_mock &&
           std::equal(x.begin(), x.end(), y.begin(), y.end(),
                      [&](char l, char r) { return lower(l) == lower(r); });
}

RoutingTable::RoutingTable(std::vector<Candidate> candidates) : candidates_(std::move(candidates)) {
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
        const Candidate& candidate = candidates_[i];
        by_name_.emplace(candidate.row->name, i);
        by_id_.emplace(candidate.row->id, i);
        any_real_ |=
            candidate.availability == Availability::kAvailable && candidate.has_real_secret;
    }
}

const Candidate* RoutingTable::FindByName(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &candidates_[found->second];
}

const Candidate* RoutingTable::FindById(const Uuid& id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : &candidates_[found->second];
}

}  // namespace aim::routing
