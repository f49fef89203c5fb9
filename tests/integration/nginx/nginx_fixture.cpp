#include "tests/integration/nginx/nginx_fixture.hpp"

#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace aim::gateway {
namespace {

std::string FileText(const std::filesystem::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

Nginx::Nginx(const std::vector<std::uint16_t>& business_ports) {
    // Started as root, its workers run as nobody and have to come through.
    std::filesystem::permissions(folder_.path(), std::filesystem::perms(0711));
    std::string apis;
    for (const std::uint16_t port : business_ports)
        apis += (apis.empty() ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(port);
    // nginx cannot be given port 0, and a free one may be taken the next moment.
    for (int tries = 0; tries < 5; ++tries) {
        service_.port = test::FreePort();
        service_.process = std::make_unique<ProcessFixture>(
            ProcessFixture::Spec{AIM_SOURCE_DIR "/deploy/nginx/start.sh",
                                 {},
                                 {{"BUSINESS_APIS", apis},
                                  {"NGINX_LISTEN", "127.0.0.1:" + std::to_string(service_.port)},
                                  {"NGINX_RUN_DIR", folder_.path().string()},
                                  {"NGINX_RESOLVE_S", "1"},
                                  {"NGINX_ACCESS_LOG", (folder_.path() / "access.log").string()}}});
        if (service_.process->WaitForHttp(service_.port, "/nginx-health")) return;
        service_.process->Terminate();
    }
    throw std::runtime_error(service_.process->output());
}

std::string Nginx::Configuration() const { return FileText(folder_.path() / "nginx.conf"); }

std::vector<std::string> Nginx::LogLines(const std::string& text) const {
    std::vector<std::string> lines;
    std::istringstream log(FileText(folder_.path() / "access.log"));
    for (std::string line; std::getline(log, line);) {
        if (line.find(text) != std::string::npos) lines.push_back(line);
    }
    return lines;
}

}  // namespace aim::gateway
