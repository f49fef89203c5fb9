#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include <unistd.h>

#include "services/cli/command_set.hpp"
#include "services/cli/console/output.hpp"
#include "services/cli/exit_code.hpp"

namespace aim::cli {
namespace {

// The data API's program is the only one that knows the database: it takes this one's place.
int Migrate(bool seed) {
    std::error_code error;
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
    const std::string program = (self.parent_path() / "aimanager-data-api").string();
    const std::string mode = seed ? "--seed-only" : "--migrate-only";
    ::execl(program.c_str(), program.c_str(), mode.c_str(), static_cast<char*>(nullptr));
    Complain(program + " cannot be run: " + std::generic_category().message(errno));
    return kExitFailed;
}

}  // namespace

void AddMigrateCommand(CommandSet& commands) {
    auto seed = std::make_shared<bool>(false);
    CLI::App* const migrate = commands.root.add_subcommand(
        "migrate", "Brings the database up to date, by the data API's program beside this one");
    migrate->add_flag("--seed", *seed, "Add the seeded models instead");
    migrate->footer(
        "The database is $DATABASE_URL, or $POSTGRES_HOST and its companions. The private one of "
        "tools/run.sh\nis brought up to date by run.sh itself.\n\n"
        "Example:\n  DATABASE_URL=postgresql://db/ai_manager_db aimanager migrate");
    migrate->callback([seed, &code = commands.exit_code] { code = Migrate(*seed); });
}

}  // namespace aim::cli
