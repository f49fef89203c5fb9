#include "services/cli/command_line.hpp"

#include <cstdio>
#include <exception>
#include <string>

#include <CLI/CLI.hpp>

#include "services/cli/check_command.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/new_command.hpp"
#include "services/cli/plugin_commands.hpp"
#include "services/cli/probe_child.hpp"

namespace aim::cli {
namespace {

int Run(int argc, char** argv) {
    CLI::App app{"The operator's command line of AI Manager."};
    app.name("aimanager");
    app.require_subcommand(1);
    int exit_code = kExitOk;

    CLI::App* const plugin = app.add_subcommand(
        "plugin", "Provider plugins: what is there, what is in a file, is it good");
    plugin->require_subcommand(1);

    PluginListOptions list_options;
    CLI::App* const list = plugin->add_subcommand(
        "list", "Says of each file in the plugin folders whether it would load");
    list->add_option("--path", list_options.plugin_path,
                     "Folders, separated by ':' (default: $PLUGIN_PATH)");
    list->add_flag("--json", list_options.json, "JSON instead of text");
    list->callback([&] { exit_code = ListPlugins(list_options); });

    PluginFileOptions info_options;
    CLI::App* const info =
        plugin->add_subcommand("info", "Says what is in a plugin file, without running any of it");
    info->add_option("FILE", info_options.file, "The shared object")->required();
    info->add_flag("--json", info_options.json, "JSON instead of text");
    info->callback([&] { exit_code = ShowPlugin(info_options); });

    PluginCheckOptions check_options;
    bool probe = false;
    bool list_checks = false;
    int verdict_fd = -1;
    CLI::App* const check = plugin->add_subcommand(
        "check", "Tries a plugin as the gateway would, then runs the conformance suite over it");
    check->add_option("FILE", check_options.file, "The shared object");
    check->add_flag("--json", check_options.json, "JSON instead of text");
    check->add_option("--only", check_options.only, "Run this check only (repeatable)")
        ->allow_extra_args(false);
    check->add_option("--skip", check_options.skip, "Leave this check out (repeatable)")
        ->allow_extra_args(false);
    check->add_flag("--list-checks", list_checks, "Say what the checks are; needs no FILE");
    check
        ->add_option("--answer", check_options.answers,
                     "A file with an answer of the plugin's provider: status line, headers, empty "
                     "line, body (repeatable)")
        ->allow_extra_args(false);
    check->add_option("--settings", check_options.row_settings,
                      "The row's settings as JSON (default: {})");
    check->add_option("--seed", check_options.seed, "Of everything random (default: 1)");
    check
        ->add_option("--fuzz-rounds", check_options.fuzz_rounds,
                     "How many sessions the fuzz check plays (default: 200)")
        ->check(CLI::Range(1, 100'000'000));
    CLI::Option* const reproduce = check->add_option(
        "--reproduce", check_options.seed, "Play the one session again that this seed makes");
    check->add_flag("--in-process", check_options.in_process,
                    "Run the suite in this process, for a debugger");
    check->add_flag("--probe", probe,
                    "Try it in this very process, under tight limits (the gateway runs this; also "
                    "for a debugger)");
    check
        ->add_option("--verdict-fd", verdict_fd,
                     "With --probe: the descriptor that takes the verdict")
        ->group("");
    check->callback([&] {
        if (list_checks) {
            exit_code = ListChecks(check_options.json);
            return;
        }
        if (check_options.file.empty()) throw CLI::RequiredError("FILE");
        if (reproduce->count() != 0) {
            check_options.fuzz_rounds = 1;
            if (check_options.only.empty()) check_options.only = {"fuzz"};
        }
        exit_code = probe ? RunProbeChild(check_options.file, verdict_fd, check_options.json)
                          : CheckPlugin(check_options);
    });

    PluginNewOptions new_options;
    CLI::App* const make =
        plugin->add_subcommand("new", "Writes the sources of a new plugin, ready to build");
    make->add_option("NAME", new_options.name, "The provider's id")->required();
    make->add_option("--lang", new_options.language, "c or cpp")
        ->required()
        ->check(CLI::IsMember({"c", "cpp"}));
    make->add_option("--into", new_options.into, "The folder to make it in (default: here)");
    make->callback([&] { exit_code = NewPlugin(new_options); });

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? kExitOk : kExitUsage;
    }
    return exit_code;
}

}  // namespace

int RunCommandLine(int argc, char** argv) {
    try {
        return Run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "aimanager: %s\n", error.what());
        return kExitFailed;
    }
}

}  // namespace aim::cli
