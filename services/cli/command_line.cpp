#include "services/cli/command_line.hpp"

#include <cstdio>
#include <exception>
#include <string>

#include <CLI/CLI.hpp>

#include "services/cli/exit_code.hpp"
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

    PluginFileOptions check_options;
    bool probe = false;
    int verdict_fd = -1;
    CLI::App* const check = plugin->add_subcommand(
        "check", "Tries a plugin as the gateway would, in a process of its own");
    check->add_option("FILE", check_options.file, "The shared object")->required();
    check->add_flag("--json", check_options.json, "JSON instead of text");
    check->add_flag("--probe", probe,
                    "Try it in this very process, under tight limits (the gateway runs this; also "
                    "for a debugger)");
    check
        ->add_option("--verdict-fd", verdict_fd,
                     "With --probe: the descriptor that takes the verdict")
        ->group("");
    check->callback([&] {
        exit_code = probe ? RunProbeChild(check_options.file, verdict_fd, check_options.json)
                          : CheckPlugin(check_options);
    });

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
