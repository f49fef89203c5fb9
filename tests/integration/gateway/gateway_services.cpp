// What a test needs without the stack of this folder: files, processes, streams.
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include <poll.h>
#include <sys/socket.h>

#include "tests/integration/gateway/gateway_test_base.hpp"

namespace aim::gateway {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

json::Document Json(std::string_view text) {
    auto document = json::Parse(text);
    EXPECT_TRUE(document) << text.substr(0, 2000);
    return document ? std::move(*document) : json::Document();
}

std::string Quote(std::string_view text) {
    std::string quoted = "\"";
    quoted.append(text);
    return quoted + "\"";
}

bool Eventually(const std::function<bool()>& condition, milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= deadline) return false;
        std::this_thread::sleep_for(milliseconds(10));
    }
    return true;
}

TemporaryFolder::TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "aim-gateway-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

namespace {

Service Start(const char* program, const Environment& environment) {
    Service service;
    service.process = std::make_unique<ProcessFixture>(
        ProcessFixture::Spec{std::string(AIM_BINARY_DIR) + "/bin/" + program, {}, environment});
    const auto port = service.process->WaitForPort("\"event\":\"started\"", seconds(60));
    if (!port) throw std::runtime_error(service.process->output());
    service.port = *port;
    return service;
}

}  // namespace

Service StartDataApi(const std::string& database_url, std::uint16_t port, const Environment& more) {
    Environment environment = {{"DATABASE_URL", database_url},
                               {"DATA_API_PORT", std::to_string(port)},
                               {"DATA_API_SEED", "false"},
                               {"DATABASE_NICE", "0"},  // other tests want the processors, too
                               {"AIM_SQL_DIR", AIM_SOURCE_DIR "/sql"}};
    for (const auto& [name, value] : more) environment[name] = value;
    Service service = Start("aimanager-data-api", environment);
    if (!service.process->WaitForHttp(service.port, "/ready", seconds(60)))
        throw std::runtime_error(service.process->output());
    return service;
}

bool Offers(const Service& business) {
    return Eventually(
        [&] {
            return business.Client().Get("/api/v1/models").body.find("\"available\"") !=
                   std::string::npos;
        },
        std::chrono::seconds(30));
}

Service StartBusinessApi(const fs::path& state, std::uint16_t data_api_port,
                         const Environment& more) {
    fs::create_directories(state / "plugins");
    fs::permissions(state / "plugins", fs::perms(0755));
    Environment environment = {
        {"BUSINESS_API_PORT", "0"},
        {"DATA_API_URL", "http://127.0.0.1:" + std::to_string(data_api_port)},
        {"API_KEY", std::string(kCallerKey)},
        {"AIM_STATE_DIR", state.string()},
        {"PLUGIN_PATH", AIM_BINARY_DIR "/plugins:" + (state / "plugins").string()},
        {"GROQ_API_KEY", std::string(kCanary)},
        {"CATALOGUE_REFRESH_MS", "100"},
        {"RATE_LIMIT_PER_MINUTE", "0"},
        {"LOG_LEVEL", "DEBUG"}};
    for (const auto& [name, value] : more) environment[name] = value;
    return Start("aimanager-business-api", environment);
}

StreamReader::StreamReader(const Service& service, std::string_view target, std::string_view body)
    : client_(service.port) {
    std::string text =
        "POST " + std::string(target) + " HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: ";
    text.append(kCallerKey).append("\r\nContent-Type: application/json\r\nContent-Length: ");
    text.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
    client_.Send(text);
    std::size_t end = 0;
    while ((end = raw_.find("\r\n\r\n")) == std::string::npos) {
        if (!Fill()) return;
    }
    head_.status = std::atoi(raw_.c_str() + 9);
    for (std::size_t at = raw_.find("\r\n") + 2; at < end;) {
        const std::size_t stop = raw_.find("\r\n", at);
        const std::string line = raw_.substr(at, stop - at);
        const std::size_t colon = line.find(": ");
        if (colon != std::string::npos)
            head_.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
        at = stop + 2;
    }
    raw_.erase(0, end + 4);
    Decode();
}

bool StreamReader::Fill() {
    pollfd descriptor{client_.socket(), POLLIN, 0};
    if (client_.socket() < 0 || ::poll(&descriptor, 1, 20'000) <= 0) return false;
    char bytes[16384];
    const ssize_t size = ::recv(client_.socket(), bytes, sizeof bytes, 0);
    if (size <= 0) return false;
    raw_.append(bytes, static_cast<std::size_t>(size));
    return true;
}

void StreamReader::Decode() {
    if (head_.Header("Transfer-Encoding") != "chunked") {
        body_ += raw_;
        raw_.clear();
        finished_ =
            body_.size() == std::strtoul(head_.Header("Content-Length").c_str(), nullptr, 10);
        return;
    }
    while (!finished_) {
        const std::size_t line = raw_.find("\r\n");
        if (line == std::string::npos) return;
        const std::size_t size = std::strtoul(raw_.c_str(), nullptr, 16);
        if (raw_.size() < line + 2 + size + 2) return;
        body_.append(raw_, line + 2, size);
        raw_.erase(0, line + 2 + size + 2);
        finished_ = size == 0;
    }
}

bool StreamReader::ReadUntil(std::string_view text) {
    while (body_.find(text) == std::string::npos) {
        if (finished_ || !Fill()) return false;
        Decode();
    }
    return true;
}

bool StreamReader::ReadAll() {
    while (!finished_) {
        if (!Fill()) return false;
        Decode();
    }
    return true;
}

std::vector<std::string> StreamReader::Events() const {
    std::vector<std::string> events;
    for (std::size_t at = 0; at < body_.size();) {
        std::size_t stop = body_.find('\n', at);
        if (stop == std::string::npos) stop = body_.size();
        const std::string_view line = std::string_view(body_).substr(at, stop - at);
        if (line.starts_with("data: ")) events.emplace_back(line.substr(6));
        at = stop + 1;
    }
    return events;
}

}  // namespace aim::gateway
