#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/plugin/refusal.hpp"

namespace aim::plugin {

// What the probe child found: the plugin's id and version, or why it is refused.
struct ProbeVerdict {
    std::optional<Refusal> refusal;
    std::string id;
    std::string version;

    static ProbeVerdict Refused(RefusalReason reason, std::string message);
    friend bool operator==(const ProbeVerdict&, const ProbeVerdict&) = default;
};

// One line without its end, fields separated by tabs: "ok<TAB>groq<TAB>1.2.0" or
// "refused<TAB>init_failed<TAB>sentence". This is what the child writes into its pipe and what the
// probe cache keeps.
std::string FormatProbeVerdict(const ProbeVerdict& verdict);

// Nullopt for anything else, so for a half-written line too.
std::optional<ProbeVerdict> ParseProbeVerdict(std::string_view line);

}  // namespace aim::plugin
