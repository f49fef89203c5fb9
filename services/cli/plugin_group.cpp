#include <memory>

#include "services/cli/check_command.hpp"
#include "services/cli/command_set.hpp"
#include "services/cli/gateway_plugins.hpp"
#include "services/cli/new_command.hpp"
#include "services/cli/plugin_commands.hpp"
#include "services/cli/probe_child.hpp"

namespace aim::cli {
namespace {

struct ListFlags {
    PluginListOptions files;
    RemoteFlags remote;
    bool running = false;
};

void AddPluginList(CLI::App& plugin, int& exit_code) {
    auto options = std::make_shared<ListFlags>();
    CLI::App* const list = plugin.add_subcommand(
        "list", "Says of each file in the plugin folders whether it would load");
    list->add_option("--path", options->files.plugin_path,
                     "Folders, separated by ':' (default: $PLUGIN_PATH)")
        ->type_name("DIR");
    CLI::Option* const running =
        list->add_flag("--running", options->running,
                       "Ask the running gateway instead: generations, sessions, what it refused");
    AddJson(*list, options->remote);
    AddUrl(*list, options->remote);
    list->footer(
        "--url alone means --running.\n\n"
        "Examples:\n"
        "  aimanager plugin list\n"
        "  aimanager plugin list --running");
    list->callback([options, running, &exit_code] {
        options->files.json = options->remote.json;
        const bool asks = running->count() != 0 || !options->remote.url.empty();
        exit_code = asks ? ListRunningPlugins(options->remote) : ListPlugins(options->files);
    });
}

void AddInfo(CLI::App& plugin, int& exit_code) {
    auto options = std::make_shared<PluginFileOptions>();
    CLI::App* const info =
        plugin.add_subcommand("info", "Says what is in a plugin file, without running any of it");
    info->add_option("FILE", options->file, "The shared object")->required()->type_name("FILE");
    info->add_flag("--json", options->json, "JSON instead of text");
    info->footer("Example:\n  aimanager plugin info build/release/plugins/groq.so");
    info->callback([options, &exit_code] { exit_code = ShowPlugin(*options); });
}

struct CheckFlags {
    PluginCheckOptions check;
    bool probe = false;
    bool probe_server = false;
    bool list_checks = false;
    int verdict_fd = -1;
};

void AddCheck(CLI::App& plugin, int& exit_code) {
    auto options = std::make_shared<CheckFlags>();
    CLI::App* const check = plugin.add_subcommand(
        "check", "Tries a plugin as the gateway would, then runs the conformance suite over it");
    check->add_option("FILE", options->check.file, "The shared object")->type_name("FILE");
    check->add_flag("--json", options->check.json, "JSON instead of text");
    check->add_option("--only", options->check.only, "Run this check only (repeatable)")
        ->allow_extra_args(false);
    check->add_option("--skip", options->check.skip, "Leave this check out (repeatable)")
        ->allow_extra_args(false);
    check->add_flag("--list-checks", options->list_checks,
                    "Say what the checks are; needs no FILE");
    check
        ->add_option("--answer", options->check.answers,
                     "A file with an answer of the plugin's provider: status line, headers, empty "
                     "line, body (repeatable)")
        ->type_name("FILE")
        ->allow_extra_args(false);
    check->add_option("--settings", options->check.row_settings,
                      "The row's settings as JSON (default: {})");
    check->add_option("--seed", options->check.seed, "Of everything random (default: 1)");
    check
        ->add_option("--fuzz-rounds", options->check.fuzz_rounds,
                     "How many sessions the fuzz check plays (default: 200)")
        ->check(CLI::Range(1, 100'000'000));
    check
        ->add_option("--limit", options->check.limit_seconds,
                     "Seconds that each check of the suite may take (default: 60)")
        ->type_name("SECONDS")
        ->check(CLI::Range(1, 86'400).description(""));
    CLI::Option* const reproduce = check->add_option(
        "--reproduce", options->check.seed, "Play the one session again that this seed makes");
    check->add_flag("--in-process", options->check.in_process,
                    "Run the suite in this process, for a debugger");
    check->add_flag("--probe", options->probe,
                    "Try it in this very process, under tight limits (the gateway runs this; also "
                    "for a debugger)");
    check
        ->add_option("--verdict-fd", options->verdict_fd,
                     "With --probe: the descriptor that takes the verdict")
        ->group("");
    check
        ->add_flag("--probe-server", options->probe_server,
                   "Probe what descriptor 3 orders, each in a process of its own")
        ->group("");
    check->footer(
        "Examples:\n"
        "  aimanager plugin check my_provider.so\n"
        "  aimanager plugin check --only fuzz --fuzz-rounds 10000 my_provider.so");
    check->callback([options, reproduce, &exit_code] {
        if (options->list_checks) {
            exit_code = ListChecks(options->check.json);
            return;
        }
        if (options->probe_server) {
            exit_code = RunProbeServer();
            return;
        }
        if (options->check.file.empty()) throw CLI::RequiredError("FILE");
        if (reproduce->count() != 0) {
            options->check.fuzz_rounds = 1;
            if (options->check.only.empty()) options->check.only = {"fuzz"};
        }
        exit_code = options->probe ? RunProbeChild(options->check.file, options->verdict_fd,
                                                   options->check.json)
                                   : CheckPlugin(options->check);
    });
}

void AddNew(CLI::App& plugin, int& exit_code) {
    auto options = std::make_shared<PluginNewOptions>();
    CLI::App* const make =
        plugin.add_subcommand("new", "Writes the sources of a new plugin, ready to build");
    make->add_option("NAME", options->name, "The provider's id")->required();
    make->add_option("--lang", options->language, "c or cpp")
        ->required()
        ->type_name("c|cpp")
        ->check(CLI::IsMember({"c", "cpp"}).description(""));
    make->add_option("--into", options->into, "The folder to make it in (default: here)")
        ->type_name("DIR");
    make->footer("Example:\n  aimanager plugin new my-ai --lang c --into ~/src");
    make->callback([options, &exit_code] { exit_code = NewPlugin(*options); });
}

}  // namespace

void AddPluginCommands(CommandSet& commands) {
    CLI::App* const plugin = commands.root.add_subcommand(
        "plugin", "Provider plugins: what is there, what is in a file, is it good");
    plugin->require_subcommand(1);
    AddPluginList(*plugin, commands.exit_code);
    AddInfo(*plugin, commands.exit_code);
    AddCheck(*plugin, commands.exit_code);
    AddNew(*plugin, commands.exit_code);
}

}  // namespace aim::cli
