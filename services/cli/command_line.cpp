#include "services/cli/command_line.hpp"

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "services/cli/command_set.hpp"
#include "services/cli/completion.hpp"
#include "services/cli/console/output.hpp"
#include "services/cli/exit_code.hpp"

namespace aim::cli {
namespace {

// Every group of commands, in the order of --help.
void AddAll(CommandSet& commands) {
    AddAskCommand(commands);
    AddStatusCommand(commands);
    AddHistoryCommand(commands);
    AddModelsCommands(commands);
    AddKeysCommands(commands);
    AddPluginCommands(commands);
    AddMigrateCommand(commands);
    AddCompletionCommand(commands);
}

int Run(int argc, char** argv) {
    CLI::App app{"The operator's command line of AI Manager."};
    app.name("aimanager");
    app.require_subcommand(1);
    int exit_code = kExitOk;
    CommandSet commands{app, exit_code};
    AddAll(commands);
    app.footer(
        "Exit codes: 0 good, 1 refused or failed, 2 wrong options or configuration, 3 could not be "
        "done (nobody\nanswers, a file cannot be written), 130 interrupted. `aimanager COMMAND "
        "--help` has examples.");
    // Hidden: what the scripts of `completion` ask.
    if (argc > 1 && std::string_view(argv[1]) == "__complete")
        return PrintCompletion(app, argc - 2, argv + 2);
    try {
        app.parse(argc, argv);
    } catch (const CLI::RequiredError& error) {
        // A misspelt command is told as what it is, not as a missing one.
        const std::vector<std::string> unknown = app.remaining(true);
        if (unknown.empty()) return app.exit(error) == 0 ? kExitOk : kExitUsage;
        Complain("there is no \"" + unknown.front() + "\" here; --help shows what there is");
        return kExitUsage;
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
