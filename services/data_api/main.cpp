#include <cstdio>
#include <string_view>

#include "services/data_api/application.hpp"

int main(int argc, char** argv) {
    using aim::data_api::Mode;
    Mode mode = Mode::kServe;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--migrate-only" || argument == "--seed-only") {
            mode = argument == "--migrate-only" ? Mode::kMigrateOnly : Mode::kSeedOnly;
        } else {
            std::fprintf(
                stderr,
                "usage: %s [--migrate-only | --seed-only]\nSettings are environment variables.\n",
                argv[0]);
            return argument == "--help" ? 0 : aim::config::kConfigurationExitStatus;
        }
    }
    const auto environment = aim::config::Environment::FromProcess();
    aim::config::Reader reader(environment);
    aim::data_api::Options options = aim::data_api::Options::Read(reader);
    if (!reader.errors().empty()) {
        std::fputs(reader.errors().ToString().c_str(), stderr);
        return aim::config::kConfigurationExitStatus;
    }
    return aim::data_api::Application(std::move(options)).Run(mode);
}
