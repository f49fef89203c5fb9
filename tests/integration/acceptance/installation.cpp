#include "tests/integration/acceptance/installation.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <signal.h>

namespace aim::gateway {
namespace {

using std::chrono::seconds;
namespace fs = std::filesystem;

constexpr const char* kBotToken = "700100:canary-token-4b1d77e02c9a56f3";
constexpr const char* kReady = "AI Manager is ready:";
constexpr std::array kNames{"postgres", "data-api", "business-api", "health-worker",
                            "telegram-bot"};

std::string ReadText(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::string InQuotes(const std::string& text) {
    std::string quoted = "'";
    for (const char each : text)
        quoted += each == '\'' ? std::string("'\\''") : std::string(1, each);
    return quoted + "'";
}

// Standard output of a shell's command without the last line's end.
std::string OutputOf(const std::string& command) {
    std::FILE* const pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("no shell");
    std::string text;
    std::array<char, 4096> bytes;
    while (const std::size_t size = std::fread(bytes.data(), 1, bytes.size(), pipe))
        text.append(bytes.data(), size);
    if (::pclose(pipe) != 0) throw std::runtime_error(command + " failed: " + text);
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

std::string Postgres(const std::string& verb, const fs::path& state) {
    return InQuotes(AIM_SOURCE_DIR "/tools/postgres.sh") + " " + verb + " " +
           InQuotes((state / "postgres").string());
}

}  // namespace

Installation::Installation() : telegram_(kBotToken) {
    // PostgreSQL's user has to come through when this is root.
    fs::permissions(folder_.path(), fs::perms(0711));
    // run.sh is given its ports, and a free one may be another program's the next moment.
    for (int tries = 1; !Start(); ++tries) {
        const std::string told = Told();
        ForgetRun();
        const bool port_was_taken = told.find("is taken by") != std::string::npos ||
                                    told.find("cannot listen on") != std::string::npos ||
                                    told.find("must differ") != std::string::npos;
        if (!port_was_taken || tries == 5) throw std::runtime_error(told);
    }
    const std::string output = run_->output();
    const std::string mark = "API key: ";
    const std::size_t at = output.find(mark, output.find(kReady)) + mark.size();
    api_key_ = output.substr(at, output.find(' ', at) - at);
    nginx_ = std::make_unique<Nginx>(std::vector<std::uint16_t>{ports_.business_api});
}

Installation::~Installation() {
    nginx_.reset();
    ForgetRun();
}

bool Installation::Start() {
    static int number = 0;
    state_ = folder_.path() / ("state-" + std::to_string(++number));
    ports_ = {test::FreePort(), test::FreePort(), test::FreePort(), test::FreePort()};
    run_ = std::make_unique<ProcessFixture>(
        ProcessFixture::Spec{AIM_SOURCE_DIR "/tools/run.sh",
                             {"--no-install", "--no-build", "--build-dir", AIM_BINARY_DIR},
                             Variables()});
    const auto said_ready = [&] {
        const std::string output = run_->output();
        const std::size_t at = output.find(kReady);
        return at != std::string::npos && output.find('\n', at) != std::string::npos;
    };
    return run_->WaitUntil(said_ready, seconds(180)) &&
           run_->WaitForHttp(ports_.worker, "/ready", seconds(60)) &&
           run_->WaitForHttp(ports_.bot, "/ready", seconds(60));
}

Environment Installation::Variables() const {
    Environment variables = {
        {"AIM_STATE_DIR", state_.string()},
        {"BUSINESS_API_HOST", "127.0.0.1"},
        {"BUSINESS_API_PORT", std::to_string(ports_.business_api)},
        {"DATA_API_HOST", "127.0.0.1"},
        {"DATA_API_PORT", std::to_string(ports_.data_api)},
        {"HEALTH_WORKER_PORT", std::to_string(ports_.worker)},
        {"HEALTH_CHECK_INTERVAL", std::to_string(kHealthCheckInterval.count())},
        {"TELEGRAM_BOT_PORT", std::to_string(ports_.bot)},
        {"TELEGRAM_BOT_TOKEN", kBotToken},
        {"TELEGRAM_API_URL", telegram_.url()},
        {"BOT_EDIT_INTERVAL_MS", "100"},
        {"TOGETHER_API_KEY", std::string(kCanary)},
        {"TRUSTED_PROXIES", "127.0.0.1"},
        {"RATE_LIMIT_PER_MINUTE", "100"},
        {"CATALOGUE_REFRESH_MS", "100"},
        {"LOG_LEVEL", "INFO"}};
    for (const char* key :
         {"GOOGLE_AI_STUDIO_API_KEY", "GROQ_API_KEY", "CEREBRAS_API_KEY", "SAMBANOVA_API_KEY",
          "HUGGINGFACE_API_KEY", "CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_TOKEN"})
        variables[key] = "mock";
    // Whoever runs this may have a file .env in the tree; what it says of these is not for us.
    for (const char* name :
         {"DATABASE_URL", "POSTGRES_HOST", "API_KEY", "BOT_API_KEY", "DATA_API_TOKEN",
          "DATA_API_URL", "BUSINESS_API_URL", "PLUGIN_PATH", "MASTER_KEY", "AUTO_INCLUDES_MOCK"})
        variables[name] = "";
    return variables;
}

std::string Installation::Told() const {
    std::string told = run_->output();
    for (const char* name : kNames) {
        const std::string log = Log(name);
        told.append("\n--- ").append(name).append(" ---\n");
        told += log.substr(log.size() > 6000 ? log.size() - 6000 : 0);
    }
    return told;
}

// Its processes are gone when this returns, and so is the database, which may be elsewhere.
void Installation::ForgetRun() {
    if (!run_) return;
    run_->Terminate(seconds(60));
    run_.reset();
    try {
        OutputOf(Postgres("destroy", state_));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
    }
}

std::vector<std::string> Installation::Stop() {
    std::vector<test::RunningProcess> all = test::ProcessTree(nginx_pid());
    const std::vector<test::RunningProcess> behind = test::ProcessTree(pid());
    std::vector<std::string> wrong;
    for (const char* name : kNames) {
        if (std::none_of(behind.begin(), behind.end(),
                         [&](const auto& each) { return each.pid == PidOf(name); }))
            wrong.push_back(std::string(name) + " has ended before");
    }
    all.insert(all.end(), behind.begin(), behind.end());
    nginx_.reset();
    run_->Signal(SIGINT);
    if (run_->WaitForExit(seconds(120)) != 0)
        wrong.push_back("run.sh did not end in order: " + Told());
    const auto left = [&] {
        std::string names;
        for (const test::RunningProcess& each : all) {
            if (test::IsRunning(each)) names += each.program + " ";
        }
        return names;
    };
    if (!Eventually([&] { return left().empty(); }, seconds(30)))
        wrong.push_back("still there: " + left());
    const auto look = [&](const std::string& name, const std::string& said) {
        for (const std::string_view text :
             {std::string_view("Sanitizer"), std::string_view("runtime error:"),
              std::string_view(kBotToken), kCanary}) {
            if (said.find(text) != std::string::npos)
                wrong.push_back(name + " has said " + std::string(text) + ":\n" + said);
        }
    };
    look("run.sh", run_->output());
    for (const char* name : kNames) {
        look(name, Log(name));
        if (PidOf(name) != 0) wrong.push_back(std::string(name) + " is still written down");
    }
    return wrong;
}

std::string Installation::endpoint() const {
    return "http://127.0.0.1:" + std::to_string(provider_.port()) + "/as/together/v1";
}

pid_t Installation::PidOf(const std::string& name) const {
    return static_cast<pid_t>(std::atoi(ReadText(state_ / "run" / (name + ".pid")).c_str()));
}

std::string Installation::Log(const std::string& name) const {
    return ReadText(state_ / "log" / (name + ".log"));
}

std::vector<json::Document> Installation::Events(const std::string& name,
                                                 std::string_view event) const {
    const std::string text = Log(name);
    const std::string mark = "\"event\":" + Quote(event);
    std::vector<json::Document> lines;
    // The last line may still be growing.
    for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos;
         at = end + 1) {
        const std::string_view line = std::string_view(text).substr(at, end - at);
        if (line.find(mark) != std::string_view::npos) lines.push_back(Json(line));
    }
    return lines;
}

std::string Installation::Sql(const std::string& sql) const {
    return OutputOf("psql -XAtq -v ON_ERROR_STOP=1 -c " + InQuotes(sql) + " \"$(" +
                    Postgres("url", state_) + ")\"");
}

}  // namespace aim::gateway
