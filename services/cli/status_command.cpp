#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "core/base/time_format.hpp"
#include "core/json/json.hpp"
#include "core/json/writer.hpp"
#include "services/cli/command_set.hpp"
#include "services/cli/console/output.hpp"
#include "services/cli/console/table.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/gateway_plugins.hpp"
#include "services/cli/remote_flags.hpp"

namespace aim::cli {
namespace {

constexpr std::chrono::milliseconds kTimeout{10'000};

struct StatusOptions {
    RemoteFlags remote;
    std::string worker_url;  // --worker-url
    std::string bot_url;     // --bot-url
    bool watches = false;
    double seconds = 2;
};

// One of our processes as its /ready tells it.
struct Process {
    std::string name;
    std::string base;
    std::string state;  // ready, degraded, not_ready, unreachable
    std::string detail;
    bool optional = false;
};

struct Overview {
    std::vector<Process> processes;  // the business API is the first
    std::optional<json::Document> models;
    std::optional<json::Document> plugins;
    std::string plugins_note;  // why there are none
};

// What is not as it should be, from the checks of a /ready.
std::string Problems(json::Value checks) {
    std::string text;
    for (const auto& [name, check] : checks) {
        const std::string_view status = check.Get("status").StringOr("up");
        const std::string_view detail = check.Get("detail").StringOr("");
        const std::size_t refused = check.Get("refused").size();
        std::string part;
        if (status != "up") part = std::string(name) + " is " + std::string(status);
        if (refused > 0) part = std::to_string(refused) + " plugin files refused";
        if (!part.empty() && !detail.empty()) part += " (" + std::string(detail) + ")";
        if (!part.empty()) text += (text.empty() ? "" : "; ") + part;
    }
    return text;
}

Process Look(Remote& remote, Endpoint endpoint, bool optional) {
    Process process{endpoint.name, endpoint.base, "unreachable", {}, optional};
    endpoint.key = SecretString();  // /ready is open; a key goes nowhere needlessly
    const auto answer = remote.Call(endpoint, "GET", "/ready", {}, kTimeout);
    if (!answer) {
        process.detail = optional ? "not running" : answer.error().message;
        return process;
    }
    process.state = answer->status == 200 ? "ready" : "not_ready";
    if (const auto document = json::Parse(answer->body)) {
        if (answer->status == 200) process.state = document->root().Get("status").StringOr("ready");
        process.detail = Problems(document->root().Get("checks"));
    }
    return process;
}

// Those that only have a state to tell.
struct Companions {
    Endpoint worker;
    Endpoint bot;
};

Overview LookAtAll(RemoteRun& run, const Companions& companions) {
    Overview all;
    Remote& remote = *run.remote;
    all.processes.push_back(Look(remote, run.business, false));
    all.processes.push_back(Look(remote, run.data, false));
    all.processes.push_back(Look(remote, companions.worker, true));
    all.processes.push_back(Look(remote, companions.bot, true));
    if (all.processes[0].state == "unreachable") {
        all.plugins_note = "the business API cannot be reached";
        return all;
    }
    if (const auto body = remote.Fetch(run.business, "GET", "/api/v1/models", {}, kTimeout)) {
        auto models = json::Parse(*body);
        if (models && models->root().IsArray()) all.models = std::move(*models);
    }
    if (run.business.key.empty()) {
        all.plugins_note = "no API key";
    } else if (auto plugins = FetchPlugins(remote, run.business)) {
        all.plugins = std::move(*plugins);
    } else {
        all.plugins_note = plugins.error().message;
    }
    return all;
}

Colour StateColour(std::string_view state) {
    if (state == "available" || state == "ready") return Colour::kGreen;
    if (state == "inactive" || state == "not_configured") return Colour::kDim;
    return state == "cooling_down" || state == "parked" || state == "degraded" ? Colour::kYellow
                                                                               : Colour::kRed;
}

std::string Age(json::Value time) {
    const auto moment = ParseRfc3339(time.StringOr(""));
    if (!moment) return "never";
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now() - *moment)
            .count();
    if (seconds < 60) return std::to_string(std::max<std::int64_t>(seconds, 0)) + " s ago";
    if (seconds < 3600) return std::to_string(seconds / 60) + " min ago";
    if (seconds < 48 * 3600) return std::to_string(seconds / 3600) + " h ago";
    return std::to_string(seconds / 86400) + " d ago";
}

std::string ProcessTable(const std::vector<Process>& processes, const Terminal& terminal) {
    Table table({{"PROCESS", false, false, 0},
                 {"URL", false, true, 2},
                 {"STATE", false, false, 0},
                 {"", false, true, 1}});
    for (const Process& process : processes) {
        const bool away = process.optional && process.state == "unreachable";
        table.Add({{process.name},
                   {process.base},
                   {away ? "not running" : process.state,
                    away ? Colour::kDim : StateColour(process.state)},
                   {away ? "" : process.detail}});
    }
    return table.Render(terminal);
}

std::string ModelTable(json::Value models, const Terminal& terminal) {
    Table table({{"MODEL", false, true, 0},
                 {"PROVIDER", false, true, 4},
                 {"STATE", false, false, 0},
                 {"SCORE", true, false, 1},
                 {"LATENCY", true, false, 2},
                 {"REQUESTS", true, false, 3},
                 {"ERRORS", true, false, 1},
                 {"LAST CHECK", true, false, 5}});
    for (const auto& [key, model] : models) {
        const std::string state = TextOf(model.Get("state"));
        const bool mock = model.Get("played_by_mock").BoolOr(false);
        table.Add({{TextOf(model.Get("name"))},
                   {TextOf(model.Get("provider")) + (mock ? " (mock)" : "")},
                   {state, StateColour(state)},
                   {TextOf(model.Get("reliability_score"))},
                   {TextOf(model.Get("avg_response_time_ms")) + " ms"},
                   {TextOf(model.Get("total_requests"))},
                   {TextOf(model.Get("error_rate_percent")) + " %"},
                   {Age(model.Get("last_check_at"))}});
    }
    return table.empty() ? "no models; `aimanager models add` adds one\n" : table.Render(terminal);
}

std::string ToText(const Overview& all, const Terminal& terminal) {
    std::string text = ProcessTable(all.processes, terminal);
    if (all.models) text += "\n" + ModelTable(all.models->root(), terminal);
    text += "\n";
    if (all.plugins) {
        text += PluginTables(all.plugins->root(), terminal);
    } else {
        text += "plugins: unknown (" + Harmless(all.plugins_note) + ")\n";
    }
    return text;
}

std::string ToJson(const Overview& all) {
    std::string text;
    json::Writer out(text);
    out.BeginObject().Key("processes").BeginArray();
    for (const Process& process : all.processes) {
        out.BeginObject()
            .Field("name", process.name)
            .Field("url", process.base)
            .Field("state", process.state)
            .Field("detail", process.detail)
            .EndObject();
    }
    out.EndArray().Key("models");
    if (all.models) {
        out.Raw(all.models->root().ToJson());
    } else {
        out.Null();
    }
    out.Key("plugins");
    if (all.plugins) {
        out.Raw(all.plugins->root().ToJson());
    } else {
        out.Null();
    }
    out.EndObject();
    return text + "\n";
}

int ExitCodeFor(const Overview& all) {
    const std::string& state = all.processes[0].state;
    if (state == "unreachable") return kExitFailed;
    return state == "not_ready" ? kExitRefused : kExitOk;
}

int Status(const StatusOptions& options) {
    auto run = RemoteRun::Start(options.remote);
    if (!run) return Report(run.error(), options.remote.json);
    const Terminal terminal = Terminal::Of(STDOUT_FILENO, run->environment);
    for (;;) {
        // Each time: tools/run.sh may start them anew meanwhile.
        auto worker = HealthWorker(run->environment, options.worker_url);
        if (!worker) return Report(worker.error(), options.remote.json);
        auto bot = TelegramBot(run->environment, options.bot_url);
        if (!bot) return Report(bot.error(), options.remote.json);
        const Overview all = LookAtAll(*run, {std::move(*worker), std::move(*bot)});
        if (run->remote->interrupted()) return kExitInterrupted;
        std::string text = options.remote.json ? ToJson(all) : ToText(all, terminal);
        if (options.watches && !options.remote.json) {
            if (terminal.is_terminal) {
                text.insert(0, "\x1b[H\x1b[2J");
            } else {
                text.push_back('\n');
            }
        }
        if (!Print(text)) return run->remote->interrupted() ? kExitInterrupted : kExitFailed;
        if (!options.watches) {
            const int code = ExitCodeFor(all);
            if (code != kExitOk)
                Complain(all.processes[0].state == "unreachable"
                             ? all.processes[0].detail
                             : "the gateway cannot serve: " + all.processes[0].detail);
            return code;
        }
        const std::chrono::duration<double> pause(options.seconds);
        if (!run->remote->Sleep(std::chrono::ceil<std::chrono::milliseconds>(pause)))
            return kExitInterrupted;
    }
}

}  // namespace

void AddStatusCommand(CommandSet& commands) {
    auto options = std::make_shared<StatusOptions>();
    CLI::App* const status = commands.root.add_subcommand(
        "status", "The processes, the models with their figures, and the plugins");
    CLI::Option* const watch = status
                                   ->add_option("-w,--watch", options->seconds,
                                                "Again every SECONDS (default: 2), until Ctrl-C")
                                   ->type_name("[SECONDS]")
                                   ->expected(0, 1)
                                   ->check(CLI::Range(0.1, 86'400.0).description(""));
    AddJson(*status, options->remote);
    AddUrl(*status, options->remote);
    AddDataUrl(*status, options->remote);
    status
        ->add_option(
            "--worker-url", options->worker_url,
            "The health worker (default: $HEALTH_WORKER_URL, else the one of tools/run.sh, "
            "else http://127.0.0.1:8002)")
        ->type_name("URL");
    status
        ->add_option("--bot-url", options->bot_url,
                     "The Telegram bot (default: $TELEGRAM_BOT_URL, else the one of tools/run.sh, "
                     "else http://127.0.0.1:8003)")
        ->type_name("URL");
    status->footer(
        "0: the gateway serves; 1: it answers but cannot serve; 3: it cannot be reached. With "
        "--watch and\n--json one object a line.\n\n"
        "Examples:\n"
        "  aimanager status\n"
        "  aimanager status --watch 5\n"
        "  aimanager status --json | jq '.models[] | select(.state != \"available\")'");
    status->callback([options, watch, &code = commands.exit_code] {
        options->watches = watch->count() > 0;
        code = Status(*options);
    });
}

}  // namespace aim::cli
