#include <memory>
#include <string>
#include <string_view>

#include "services/cli/command_set.hpp"
#include "services/cli/console/output.hpp"
#include "services/cli/exit_code.hpp"

// Compiled in from completion_scripts/.
namespace aim::embedded {
extern const std::string_view kCompletionBash;
extern const std::string_view kCompletionZsh;
extern const std::string_view kCompletionFish;
}  // namespace aim::embedded

namespace aim::cli {

void AddCompletionCommand(CommandSet& commands) {
    auto shell = std::make_shared<std::string>();
    CLI::App* const completion = commands.root.add_subcommand(
        "completion", "Prints a script by which a shell completes commands, options and models");
    completion->add_option("SHELL", *shell, "bash, zsh or fish")
        ->required()
        ->type_name("bash|zsh|fish")
        ->check(CLI::IsMember({"bash", "zsh", "fish"}).description(""));
    completion->footer(
        "Examples:\n"
        "  source <(aimanager completion bash)      # also in ~/.bashrc\n"
        "  source <(aimanager completion zsh)       # also in ~/.zshrc, after compinit\n"
        "  aimanager completion fish > ~/.config/fish/completions/aimanager.fish");
    completion->callback([shell, &code = commands.exit_code] {
        const std::string_view script = *shell == "bash"  ? embedded::kCompletionBash
                                        : *shell == "zsh" ? embedded::kCompletionZsh
                                                          : embedded::kCompletionFish;
        code = Print(script) ? kExitOk : kExitFailed;
    });
}

}  // namespace aim::cli
