#include "services/cli/gateway_plugins.hpp"

#include <utility>

#include <unistd.h>

#include "services/cli/console/table.hpp"
#include "services/cli/exit_code.hpp"

namespace aim::cli {
namespace {

// Enough to know a file by; the whole hash is in --json.
constexpr std::size_t kHashDigits = 12;

// "GROQ_API_KEY mock, GROQ_REGION set": which settings are there, never their values.
std::string Settings(json::Value settings) {
    std::string text;
    for (const auto& [key, setting] : settings) {
        if (!text.empty()) text += ", ";
        text += TextOf(setting.Get("name")) + " " + TextOf(setting.Get("state"));
    }
    return text.empty() ? "-" : text;
}

void AddRows(json::Value plugins, Table& table) {
    for (const auto& [key, loaded] : plugins) {
        const std::string state = TextOf(loaded.Get("state"));
        const std::int64_t strikes = loaded.Get("misbehaviours").Int64Or(0);
        table.Add({{TextOf(loaded.Get("id"))},
                   {TextOf(loaded.Get("version"))},
                   {TextOf(loaded.Get("abi"))},
                   {TextOf(loaded.Get("generation"))},
                   {state, state == "serving" ? Colour::kGreen : Colour::kYellow},
                   {TextOf(loaded.Get("sessions").Get("open"))},
                   {TextOf(loaded.Get("sessions").Get("total"))},
                   {std::to_string(strikes), strikes == 0 ? Colour::kNone : Colour::kRed},
                   {Settings(loaded.Get("settings"))},
                   {TextOf(loaded.Get("sha256")).substr(0, kHashDigits)},
                   {TextOf(loaded.Get("file"))}});
    }
}

}  // namespace

Result<json::Document> FetchPlugins(Remote& remote, const Endpoint& business) {
    auto body = remote.Fetch(business, "GET", "/api/v1/plugins");
    if (!body) return Unexpected(std::move(body.error()));
    auto document = json::Parse(*body);
    if (!document || !document->root().Get("loaded").IsArray()) {
        return Fail(ErrorKind::kProtocolError,
                    "the business API at " + business.base + " did not answer with its plugins");
    }
    return document;
}

std::string PluginTables(json::Value report, const Terminal& terminal) {
    Table table({{"PLUGIN", false, true, 0},
                 {"VERSION", false, false, 2},
                 {"ABI", false, false, 6},
                 {"GENERATION", true, false, 1},
                 {"STATE", false, false, 0},
                 {"OPEN", true, false, 1},
                 {"SESSIONS", true, false, 1},
                 {"FAULTS", true, false, 3},
                 {"SETTINGS", false, true, 5},
                 {"SHA256", false, false, 7},
                 {"FILE", false, true, 4}});
    AddRows(report.Get("loaded"), table);
    AddRows(report.Get("retiring"), table);
    std::string text = table.empty() ? "no plugins are loaded\n" : table.Render(terminal);
    Table refused({{"REFUSED", false, true, 0}, {"REASON", false, false, 0}, {"", false, true, 1}});
    for (const auto& [key, file] : report.Get("refused")) {
        refused.Add({{TextOf(file.Get("file"))},
                     {TextOf(file.Get("reason")), Colour::kRed},
                     {TextOf(file.Get("message"))}});
    }
    if (!refused.empty()) text += "\n" + refused.Render(terminal);
    return text;
}

int ListRunningPlugins(const RemoteFlags& flags) {
    auto run = RemoteRun::Start(flags);
    if (!run) return Report(run.error(), flags.json);
    if (const auto key = RequireKey(run->business); !key) return Report(key.error(), flags.json);
    const auto report = FetchPlugins(*run->remote, run->business);
    if (!report) return Report(report.error(), flags.json);
    const Terminal terminal = Terminal::Of(STDOUT_FILENO, run->environment);
    if (!Print(flags.json ? report->root().ToJson() + "\n"
                          : PluginTables(report->root(), terminal)))
        return kExitFailed;
    return report->root().Get("refused").size() == 0 ? kExitOk : kExitRefused;
}

}  // namespace aim::cli
