#pragma once

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "core/config/environment.hpp"
#include "services/cli/remote/remote.hpp"

namespace aim::cli {

// The options that commands share which talk to our services.
struct RemoteFlags {
    std::string url;       // --url
    std::string data_url;  // --data-url
    bool json = false;
};

void AddUrl(CLI::App& command, RemoteFlags& flags);
void AddDataUrl(CLI::App& command, RemoteFlags& flags);
void AddJson(CLI::App& command, RemoteFlags& flags);

// What one run of such a command works with.
struct RemoteRun {
    config::Environment environment;
    Endpoint business;
    Endpoint data;
    std::unique_ptr<Remote> remote;

    // Reads the process's environment. Fails (kInvalidRequest) for a bad URL, key or proxy.
    static Result<RemoteRun> Start(const RemoteFlags& flags);
};

}  // namespace aim::cli
