#include "services/business_api/plugin_report.hpp"

#include <chrono>
#include <string_view>
#include <vector>

#include "core/runtime/plugins_check.hpp"

namespace aim::business_api {
namespace {

std::string_view SettingState(const config::Environment& environment,
                              const plugin::SettingDescriptor& setting) {
    const auto given = environment.Get(setting.name);
    const std::string_view value = given ? *given : std::string_view(setting.default_value);
    if (value.empty()) return "missing";
    return setting.secret && value == "mock" ? "mock" : "set";
}

void PutPlugin(json::Writer& writer, const plugin::LoadedPlugin& loaded,
               const config::Environment& environment) {
    using std::chrono::duration_cast;
    const plugin::Conduct::Figures& conduct = loaded.conduct;
    writer.BeginObject()
        .Field("id", loaded.id)
        .Field("display_name", loaded.display_name)
        .Field("version", loaded.version)
        .Field("file", loaded.file.string())
        .Field("sha256", loaded.sha256)
        .Field("abi", loaded.abi)
        .Field("generation", loaded.generation)
        .Field("state", plugin::GenerationStateName(loaded.state));
    writer.Key("sessions")
        .BeginObject()
        .Field("open", conduct.open_sessions)
        .Field("total", conduct.sessions)
        .EndObject();
    writer.Key("calls")
        .BeginObject()
        .Field("total", conduct.calls)
        .Field("time_ms", duration_cast<std::chrono::milliseconds>(conduct.call_time).count())
        .Field("longest_us", duration_cast<std::chrono::microseconds>(conduct.longest_call).count())
        .Field("slow", conduct.slow_calls)
        .EndObject();
    writer.Field("misbehaviours", conduct.strikes).Key("misbehaviour").BeginObject();
    for (std::size_t i = 0; i < plugin::kMisbehaviourCount; ++i) {
        writer.Field(plugin::MisbehaviourName(static_cast<plugin::Misbehaviour>(i)),
                     conduct.misbehaviours[i]);
    }
    writer.EndObject().Key("capabilities").BeginArray();
    for (const std::string& capability : loaded.capabilities) writer.String(capability);
    writer.EndArray().Key("settings").BeginArray();
    for (const plugin::SettingDescriptor& setting : loaded.settings) {
        writer.BeginObject()
            .Field("name", setting.name)
            .Field("secret", setting.secret)
            .Field("required", setting.required)
            .Field("state", SettingState(environment, setting))
            .EndObject();
    }
    writer.EndArray().EndObject();
}

void PutPlugins(json::Writer& writer, std::string_view key,
                const std::vector<plugin::LoadedPlugin>& plugins,
                const config::Environment& environment) {
    writer.Key(key).BeginArray();
    for (const plugin::LoadedPlugin& loaded : plugins) PutPlugin(writer, loaded, environment);
    writer.EndArray();
}

}  // namespace

std::string PluginReport::ToJson() const {
    std::string body;
    json::Writer writer(body);
    writer.BeginObject();
    PutPlugins(writer, "loaded", registry.Loaded(), environment);
    PutPlugins(writer, "retiring", registry.Retiring(), environment);
    runtime::PutRefusedPlugins(writer, registry);
    writer.Key("counters")
        .BeginObject()
        .Field("loads", metrics.loads())
        .Field("probes", metrics.probes())
        .Field("quarantines", metrics.quarantines())
        .Field("rollbacks", metrics.rollbacks())
        .Field("libraries", registry.kept_libraries());
    writer.Key("refusals").BeginObject();
    for (int i = 0; i < plugin::kRefusalReasonCount; ++i) {
        const auto reason = static_cast<plugin::RefusalReason>(i);
        if (const std::uint64_t count = metrics.refusals(reason); count > 0)
            writer.Field(plugin::RefusalName(reason), count);
    }
    writer.EndObject().EndObject().EndObject();
    return body;
}

}  // namespace aim::business_api
