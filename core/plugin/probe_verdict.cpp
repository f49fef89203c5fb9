#include "core/plugin/probe_verdict.hpp"

#include <array>

#include "core/plugin/descriptor.hpp"

namespace aim::plugin {
namespace {

constexpr std::size_t kMaxMessage = 4096;

}  // namespace

ProbeVerdict ProbeVerdict::Refused(RefusalReason reason, std::string message) {
    ProbeVerdict verdict;
    verdict.refusal = Refusal{reason, std::move(message)};
    return verdict;
}

std::string FormatProbeVerdict(const ProbeVerdict& verdict) {
    if (!verdict.refusal) return "ok\t" + verdict.id + "\t" + verdict.version;
    // Printable() leaves no tab and no line end in the sentence.
    return "refused\t" + std::string(RefusalName(verdict.refusal->reason)) + "\t" +
           Printable(verdict.refusal->message, kMaxMessage);
}

std::optional<ProbeVerdict> ParseProbeVerdict(std::string_view line) {
    std::array<std::string_view, 3> fields;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const std::size_t tab = line.find('\t');
        if ((tab == std::string_view::npos) != (i + 1 == fields.size())) return std::nullopt;
        fields[i] = line.substr(0, tab);
        line.remove_prefix(tab == std::string_view::npos ? line.size() : tab + 1);
    }
    if (fields[0] == "ok") {
        if (!IsProviderId(fields[1]) || !PluginVersion::Parse(fields[2])) return std::nullopt;
        ProbeVerdict verdict;
        verdict.id = fields[1];
        verdict.version = fields[2];
        return verdict;
    }
    const auto reason = ParseRefusalName(fields[1]);
    if (fields[0] != "refused" || !reason) return std::nullopt;
    return ProbeVerdict::Refused(*reason, std::string(fields[2]));
}

}  // namespace aim::plugin
