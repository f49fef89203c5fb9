#include "core/probe/probe_policy.hpp"

#include <algorithm>

#include "core/json/json.hpp"

namespace aim::probe {

ProbePolicy ProbePolicy::Read(std::string_view settings) {
    ProbePolicy policy;
    if (settings.size() <= 2) return policy;
    auto document = json::Parse(settings);
    if (!document) return policy;
    if (const auto enabled = document->root().Get("health_check").AsBool())
        policy.enabled = *enabled;
    const auto tokens = document->root().Get("health_check_max_tokens").AsInt64();
    if (tokens && *tokens > 0) policy.max_tokens = std::min(*tokens, kMostTokens);
    return policy;
}

}  // namespace aim::probe
