#pragma once

#include <CLI/CLI.hpp>

namespace aim::cli {

// Where a group of commands adds itself: `root` is the program's parser, `exit_code` takes the
// result of the command that ran (exit_code.hpp). Both outlive the parsing; the options of a
// command are owned by its callback.
struct CommandSet {
    CLI::App& root;
    int& exit_code;
};

// Each adds one group; command_line.cpp has the list of all. A new group is a file of its own with
// such a function, and its line in that list.
void AddAskCommand(CommandSet& commands);
void AddModelsCommands(CommandSet& commands);
void AddHistoryCommand(CommandSet& commands);
void AddMigrateCommand(CommandSet& commands);
void AddStatusCommand(CommandSet& commands);
void AddCompletionCommand(CommandSet& commands);
void AddKeysCommands(CommandSet& commands);
void AddPluginCommands(CommandSet& commands);

}  // namespace aim::cli
