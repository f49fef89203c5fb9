#include "services/cli/probe_child.hpp"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <span>

#include <unistd.h>

#include "core/base/clock.hpp"
#include "core/json/writer.hpp"
#include "core/plugin/elf_image.hpp"
#include "core/plugin/handshake.hpp"
#include "core/plugin/host_table.hpp"
#include "core/plugin/plugin_bytes.hpp"
#include "core/plugin/plugin_library.hpp"
#include "core/plugin/probe_server.hpp"
#include "core/plugin/probe_verdict.hpp"
#include "core/security/sha256.hpp"
#include "services/cli/child_limits.hpp"
#include "services/cli/conformance.hpp"
#include "services/cli/exit_code.hpp"

namespace aim::cli {
namespace {

using plugin::Checked;
using plugin::ProbeVerdict;

// What the plugin logs; who runs the probe reads it from our standard error.
class StderrLogger final : public telemetry::Logger {
  public:
    StderrLogger() : Logger(telemetry::Level::kDebug) {}

  private:
    void Write(telemetry::Level, std::string_view, std::string_view message,
               std::span<const telemetry::Field>) override {
        std::fprintf(stderr, "%.*s\n", static_cast<int>(message.size()), message.data());
    }
};

ProbeVerdict Probe(const std::filesystem::path& file) {
    const auto refused = [](const plugin::Refusal& refusal) {
        return ProbeVerdict::Refused(refusal.reason, refusal.message);
    };
    plugin::ReadLimits limits;
    limits.owner = ::geteuid();
    const auto content = plugin::ReadPluginBytes(file, limits);
    if (!content) return refused(content.error());
    const auto image = plugin::ParseElf(content->bytes);
    if (!image) return refused(image.error());
    const auto note = plugin::ReadManifestNote(*image);
    if (!note) return refused(note.error());

    auto library = plugin::PluginLibrary::Load(std::filesystem::absolute(file));
    if (!library) return refused(library.error());
    const auto introduction = plugin::ReadIntroduction(library->entry(), *note);
    if (!introduction) return refused(introduction.error());

    StderrLogger log;
    plugin::HostTable host(log, SystemClock(), "probe", introduction->descriptor.id);
    const aim_entry& entry = *introduction->entry;
    // Twice, for a plugin whose file comes back is initialised again in the same process.
    for (int round = 0; round < 2; ++round) {
        if (const auto refusal = plugin::InitPlugin(entry, *host.table())) return refused(*refusal);
        const auto interfaces = plugin::ReadInterfaces(entry);
        if (!interfaces) return refused(interfaces.error());
        if (const auto refusal = RunSmokeTests(*introduction, *interfaces))
            return refused(*refusal);
        plugin::DeinitPlugin(entry);
    }
    ProbeVerdict verdict;
    verdict.id = introduction->descriptor.id;
    verdict.version = introduction->descriptor.version;
    return verdict;
}

std::string ToJson(const ProbeVerdict& verdict) {
    std::string text;
    json::Writer out(text);
    out.BeginObject().Field("ok", !verdict.refusal.has_value());
    if (verdict.refusal) {
        out.Field("reason", plugin::RefusalName(verdict.refusal->reason))
            .Field("message", verdict.refusal->message);
    } else {
        out.Field("id", verdict.id).Field("version", verdict.version);
    }
    out.EndObject();
    return text;
}

}  // namespace

int RunProbeChild(const std::string& file, int verdict_fd, bool as_json) {
    // The plugin's prints must not be taken for a verdict.
    if (verdict_fd < 0) verdict_fd = ::dup(STDOUT_FILENO);
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    LimitThisProcess(std::chrono::seconds(5));
    const ProbeVerdict verdict = Probe(file);
    const std::string line =
        (as_json ? ToJson(verdict) : plugin::FormatProbeVerdict(verdict)) + "\n";
    const ssize_t written = ::write(verdict_fd, line.data(), line.size());
    if (written != static_cast<ssize_t>(line.size())) return kExitFailed;
    return verdict.refusal ? kExitRefused : kExitOk;
}

int RunProbeServer() {
    // The library behind it takes longer to begin than a probe takes; what is forked has it begun.
    static_cast<void>(security::Sha256(""));
    return plugin::ServeProbes(3, [](const std::string& file, int verdict_fd) {
        return RunProbeChild(file, verdict_fd, false);
    });
}

}  // namespace aim::cli
