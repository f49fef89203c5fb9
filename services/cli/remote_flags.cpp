#include "services/cli/remote_flags.hpp"

#include <utility>

namespace aim::cli {

void AddUrl(CLI::App& command, RemoteFlags& flags) {
    command
        .add_option("--url", flags.url,
                    "The business API (default: $BUSINESS_API_URL, else http://127.0.0.1:8000)")
        ->type_name("URL");
}

void AddDataUrl(CLI::App& command, RemoteFlags& flags) {
    command
        .add_option("--data-url", flags.data_url,
                    "The data API (default: $DATA_API_URL, else http://127.0.0.1:8001)")
        ->type_name("URL");
}

void AddJson(CLI::App& command, RemoteFlags& flags) {
    command.add_flag("--json", flags.json, "JSON instead of text");
}

Result<RemoteRun> RemoteRun::Start(const RemoteFlags& flags) {
    RemoteRun run;
    run.environment = config::Environment::FromProcess();
    auto business = BusinessApi(run.environment, flags.url);
    if (!business) return Unexpected(std::move(business.error()));
    auto data = DataApi(run.environment, flags.data_url);
    if (!data) return Unexpected(std::move(data.error()));
    auto remote = Remote::Create(run.environment);
    if (!remote) return Unexpected(std::move(remote.error()));
    run.business = std::move(*business);
    run.data = std::move(*data);
    run.remote = std::move(*remote);
    return run;
}

}  // namespace aim::cli
