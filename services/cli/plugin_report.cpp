#include "services/cli/plugin_report.hpp"

#include <cstdlib>

namespace aim::cli {

Result<plugin::TrustPolicy> TrustFromEnvironment() {
    const char* const list = std::getenv("PLUGIN_SHA256_ALLOW");
    return plugin::TrustPolicy::Parse(list != nullptr ? list : "");
}

std::string AbiName(const plugin::ManifestNote& note) {
    return std::to_string(note.abi_major) + "." + std::to_string(note.abi_minor);
}

void AppendInspection(const Inspection& found, bool good, json::Writer& out) {
    out.Field("file", found.file.native()).Field("ok", good);
    if (!found.id.empty()) out.Field("id", found.id).Field("version", found.version);
    if (!found.sha256.empty()) out.Field("sha256", found.sha256).Field("size", found.size);
    if (found.note) out.Field("abi", AbiName(*found.note));
    if (found.refusal) {
        out.Field("reason", plugin::RefusalName(found.refusal->reason))
            .Field("message", found.refusal->message);
    }
    if (!found.output.empty()) out.Field("output", found.output);
}

std::string SentenceOf(const Inspection& found) {
    if (found.refusal) {
        return "refused  " + found.file.string() + "\n         " +
               std::string(plugin::RefusalName(found.refusal->reason)) + ": " +
               found.refusal->message + "\n";
    }
    return "ok       " + found.file.string() +
           (found.id.empty() ? "" : "\n         " + found.id + " " + found.version) + "\n";
}

}  // namespace aim::cli
