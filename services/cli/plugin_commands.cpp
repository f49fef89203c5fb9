#include "services/cli/plugin_commands.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/json/writer.hpp"
#include "core/plugin/folder_watcher.hpp"
#include "core/plugin/registry.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/inspection.hpp"
#include "services/cli/plugin_report.hpp"

namespace aim::cli {
namespace {

namespace fs = std::filesystem;

std::string Environment(const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr ? value : "";
}

}  // namespace

std::vector<fs::path> PluginFolders(const std::string& wanted) {
    const std::string path = wanted.empty() ? Environment("PLUGIN_PATH") : wanted;
    if (!path.empty()) return plugin::Registry::SplitPath(path);
    const std::string state = Environment("AIM_STATE_DIR");
    std::error_code ignored;
    const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
    return {program.parent_path().parent_path() / "plugins",
            fs::path(state.empty() ? "./var" : state) / "plugins"};
}

namespace {

void PrintText(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

int UsageError(const std::string& message) {
    std::fprintf(stderr, "aimanager: %s\n", message.c_str());
    return kExitUsage;
}

int ReportInspection(const Inspection& found, bool as_json, const std::string& details) {
    std::string text;
    if (as_json) {
        json::Writer out(text);
        out.BeginObject();
        AppendInspection(found, !found.refusal, out);
        out.EndObject();
        text += '\n';
    } else {
        text = SentenceOf(found) + details;
    }
    PrintText(text);
    return found.refusal ? kExitRefused : kExitOk;
}

}  // namespace

int ListPlugins(const PluginListOptions& options) {
    auto trust = TrustFromEnvironment();
    if (!trust) return UsageError(trust.error().message);
    Inspector inspector(std::move(*trust));
    plugin::FolderWatcher folders(PluginFolders(options.plugin_path), {});
    std::vector<Inspection> all;
    bool refused = false;
    for (const plugin::FileSighting& sighting : folders.Look({})) {
        all.push_back(inspector.Try(sighting.path));
        refused = refused || all.back().refusal;
    }
    std::string text;
    if (options.json) {
        json::Writer out(text);
        out.BeginObject().Key("plugins").BeginArray();
        for (const Inspection& found : all) {
            out.BeginObject();
            AppendInspection(found, !found.refusal, out);
            out.EndObject();
        }
        out.EndArray().EndObject();
        text += '\n';
    } else {
        for (const Inspection& found : all) text += SentenceOf(found);
        if (all.empty()) text = "no plugin files in the plugin folders\n";
    }
    PrintText(text);
    return refused ? kExitRefused : kExitOk;
}

int ShowPlugin(const PluginFileOptions& options) {
    auto trust = TrustFromEnvironment();
    if (!trust) return UsageError(trust.error().message);
    const Inspection found = Inspector(std::move(*trust)).Read(options.file);
    std::string details;
    if (!found.sha256.empty()) {
        details +=
            "         sha256 " + found.sha256 + ", " + std::to_string(found.size) + " bytes\n";
    }
    if (found.note) details += "         built for ABI " + AbiName(*found.note) + "\n";
    if (!found.note && !found.refusal)
        details += "         no AIM note: id and version are known only by running it\n";
    return ReportInspection(found, options.json, details);
}

}  // namespace aim::cli
