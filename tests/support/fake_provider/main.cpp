// A stand-alone fake provider, for benchmarks and for trying things by hand. Ends on SIGINT or
// SIGTERM.
#include <charconv>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>

#include "tests/support/fake_provider/server.hpp"

namespace {

constexpr const char* kUsage =
    "usage: fake_provider [--port N] [--host ADDRESS] [--tls-cert FILE --tls-key FILE]\n"
    "                     [--threads N] [--port-file FILE] [--required-key KEY]\n";

struct CommandLine {
    aim::testing::ServerOptions server;
    std::string port_file;
};

bool ReadNumber(const std::string& text, unsigned limit, unsigned* number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
    return error == std::errc() && end == text.data() + text.size() && *number <= limit;
}

bool ReadFile(const std::string& path, std::string* text) {
    std::ifstream file(path, std::ios::binary);
    text->assign(std::istreambuf_iterator<char>(file), {});
    return !text->empty();
}

std::optional<CommandLine> ReadArguments(int argc, char** argv) {
    CommandLine line;
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        if (i + 1 == argc) return std::nullopt;
        const std::string value = argv[++i];
        unsigned number = 0;
        if (name == "--port" && ReadNumber(value, 65535, &number)) {
            line.server.port = static_cast<std::uint16_t>(number);
        } else if (name == "--threads" && ReadNumber(value, 256, &number) && number > 0) {
            line.server.threads = number;
        } else if (name == "--host") {
            line.server.host = value;
        } else if (name == "--tls-cert" && ReadFile(value, &line.server.certificate_pem)) {
            continue;
        } else if (name == "--tls-key" && ReadFile(value, &line.server.key_pem)) {
            continue;
        } else if (name == "--port-file") {
            line.port_file = value;
        } else if (name == "--required-key") {
            line.server.required_key = value;
        } else {
            return std::nullopt;
        }
    }
    return line;
}

}  // namespace

int main(int argc, char** argv) {
    const std::optional<CommandLine> line = ReadArguments(argc, argv);
    if (!line) {
        std::cerr << kUsage;
        return 2;
    }
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // the loops' threads inherit it

    std::string error;
    const auto server = aim::testing::Server::Start(line->server, &error);
    if (!server) {
        std::cerr << "fake_provider: " << error << "\n";
        return 1;
    }
    if (!line->port_file.empty()) {
        const std::string partial = line->port_file + ".partial";
        std::ofstream(partial) << server->port() << "\n";
        if (std::rename(partial.c_str(), line->port_file.c_str()) != 0) {
            std::cerr << "fake_provider: cannot write " << line->port_file << "\n";
            return 1;
        }
    }
    std::cout << "listening " << line->server.host << ":" << server->port() << std::endl;
    int received = 0;
    ::sigwait(&signals, &received);
    return 0;
}
