#include "tests/integration/cli/cli_test_base.hpp"

#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace aim::cli {
namespace {

std::string ReadFile(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

}  // namespace

bool Has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

CliProcess::CliProcess(const Arguments& arguments, const Environment& environment,
                       const std::string& input, const std::string& terminal) {
    std::ofstream(folder_.path() / "in", std::ios::binary) << input;
    Arguments all = {"-c",
                     "in=$1 out=$2 err=$3; shift 3; exec \"$@\" <\"$in\" >\"$out\" 2>\"$err\"",
                     "sh",
                     (folder_.path() / "in").string(),
                     terminal.empty() ? (folder_.path() / "out").string() : terminal,
                     (folder_.path() / "err").string(),
                     std::string(AIM_BINARY_DIR) + "/bin/aimanager"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    process_ = std::make_unique<test::ProcessFixture>(
        test::ProcessFixture::Spec{"/bin/sh", std::move(all), environment});
}

std::string CliProcess::out() const { return ReadFile(folder_.path() / "out"); }
std::string CliProcess::err() const { return ReadFile(folder_.path() / "err"); }

bool CliProcess::WaitForOut(const std::string& text) {
    return gateway::Eventually([&] { return Has(out(), text); }, std::chrono::seconds(30));
}

int CliProcess::Wait() { return process_->WaitForExit(std::chrono::seconds(60)).value_or(-1); }

SilentPort::SilentPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket_, generic, size) != 0 || ::getsockname(socket_, generic, &size) != 0)
        throw std::runtime_error("no port");
    port_ = ntohs(address.sin_port);
}

SilentPort::~SilentPort() { ::close(socket_); }

PseudoTerminal::PseudoTerminal(unsigned short columns) {
    winsize size{};
    size.ws_row = 24;
    size.ws_col = columns;
    char name[256];
    if (::openpty(&master_, &slave_, name, nullptr, &size) != 0)
        throw std::runtime_error("no pseudo terminal");
    path_ = name;
}

PseudoTerminal::~PseudoTerminal() {
    ::close(slave_);
    ::close(master_);
}

std::string PseudoTerminal::Read() {
    std::string text;
    pollfd descriptor{master_, POLLIN, 0};
    while (::poll(&descriptor, 1, 200) > 0) {
        char bytes[4096];
        const ssize_t got = ::read(master_, bytes, sizeof bytes);
        if (got <= 0) break;
        for (ssize_t i = 0; i < got; ++i) {
            if (bytes[i] != '\r') text.push_back(bytes[i]);
        }
    }
    return text;
}

void CliTest::SetUp() {
    GatewayTest::SetUp();
    std::ofstream(folder_.path() / "api_key") << gateway::kCallerKey << "\n";
}

Environment CliTest::Surroundings(const Environment& more) const {
    Environment environment = {
        {"BUSINESS_API_URL", "http://127.0.0.1:" + std::to_string(stack().business_api.port)},
        {"DATA_API_URL", "http://127.0.0.1:" + std::to_string(stack().data_api.port)},
        {"AIM_STATE_DIR", folder_.path().string()}};
    for (const auto& [name, value] : more) {
        if (value.empty()) {
            environment.erase(name);
        } else {
            environment[name] = value;
        }
    }
    return environment;
}

Outcome CliTest::Aimanager(const Arguments& arguments, const Environment& more,
                           const std::string& input) {
    CliProcess process(arguments, Surroundings(more), input);
    Outcome run;
    run.exit_code = process.Wait();
    run.out = process.out();
    run.err = process.err();
    ExpectNoSecret(run.out);
    ExpectNoSecret(run.err);
    return run;
}

json::Document CliTest::AimanagerJson(const Arguments& arguments, int exit_code) {
    const Outcome run = Aimanager(arguments);
    EXPECT_EQ(run.exit_code, exit_code) << run.out << run.err;
    return gateway::Json(run.out);
}

void CliTest::ExpectNoSecret(const std::string& text) {
    EXPECT_EQ(text.find(gateway::kCallerKey), std::string::npos) << text;
    EXPECT_EQ(text.find(gateway::kCanary), std::string::npos) << text;
}

}  // namespace aim::cli
