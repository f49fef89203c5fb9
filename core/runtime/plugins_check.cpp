#include "core/runtime/plugins_check.hpp"

#include <string>

#include "core/base/time_format.hpp"

namespace aim::runtime {
namespace {

// Code that is no longer used stays mapped; from here on a restart is advised.
constexpr std::size_t kManyLibraries = 64;

}  // namespace

void PutRefusedPlugins(json::Writer& writer, const plugin::Registry& registry) {
    writer.Key("refused").BeginArray();
    for (const plugin::RefusedFile& refused : registry.Refusals()) {
        writer.BeginObject()
            .Field("file", refused.file.string())
            .Field("reason", plugin::RefusalName(refused.reason))
            .Field("message", refused.message)
            .Field("since", FormatRfc3339(refused.since))
            .EndObject();
    }
    writer.EndArray();
}

void PutPluginsCheck(json::Writer& writer, const plugin::Registry& registry) {
    const std::size_t libraries = registry.kept_libraries();
    std::string detail;
    if (libraries > kManyLibraries) {
        detail = std::to_string(libraries) +
                 " plugin libraries are mapped, of which most are not used any more; a restart is "
                 "advised";
    }
    writer.Key("plugins")
        .BeginObject()
        .Field("loaded", registry.Snapshot()->generations().size())
        .Field("detail", detail);
    PutRefusedPlugins(writer, registry);
    writer.EndObject();
}

}  // namespace aim::runtime
