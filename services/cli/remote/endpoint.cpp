#include "services/cli/remote/endpoint.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>
#include <vector>

namespace aim::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = 4096;

struct Variables {
    const char* name;
    std::vector<const char*> urls;
    const char* host;
    const char* port;
    const char* default_port;
    // The file of the state folder in which tools/run.sh leaves the URL.
    const char* left = nullptr;
};

std::string Bracketed(std::string host) {
    return host.find(':') != std::string::npos && host.front() != '[' ? "[" + host + "]" : host;
}

// A server that listens on every address is reached by loopback.
std::string Reachable(std::string_view host) {
    if (host == "0.0.0.0") return "127.0.0.1";
    if (host == "::" || host == "[::]") return "[::1]";
    return Bracketed(std::string(host));
}

// The places where tools/run.sh keeps its state, in the order of preference: the folder that is
// named, else var/ here, else var/ of the tree in which this program was built (build/release/bin).
std::vector<fs::path> StateFolders(const config::Environment& environment) {
    if (const auto state = environment.Get("AIM_STATE_DIR")) return {fs::path(*state)};
    std::vector<fs::path> folders = {"var"};
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    if (!error) {
        folders.push_back(program.parent_path().parent_path().parent_path().parent_path() / "var");
    }
    return folders;
}

// The first of these files that has something in it, and where.
struct Kept {
    std::string text;
    fs::path file;
};
std::optional<Kept> ReadKept(const config::Environment& environment, const char* name) {
    for (const fs::path& folder : StateFolders(environment)) {
        Kept kept{std::string(kMaxFileBytes, '\0'), folder / name};
        std::ifstream in(kept.file, std::ios::binary);
        if (!in) continue;
        std::string& text = kept.text;
        in.read(text.data(), static_cast<std::streamsize>(text.size()));
        text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, in.gcount())));
        while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
            text.pop_back();
        if (!text.empty()) return kept;
    }
    return std::nullopt;
}

Result<Endpoint> Find(const config::Environment& environment, const std::string& given,
                      const char* option, const Variables& variables) {
    std::string text = given;
    std::string source = option;
    for (const char* const name : variables.urls) {
        if (!text.empty()) break;
        text = environment.Get(name).value_or("");
        source = name;
    }
    const auto port_given = environment.Get(variables.port);
    const bool has_port = port_given && *port_given != "0";
    if (text.empty() && variables.left != nullptr && !has_port &&
        !environment.Get(variables.host)) {
        const auto left = ReadKept(environment, variables.left);
        // Half of it may have been written so far.
        if (left && http::Url::Parse(left->text)) text = left->text;
    }
    if (text.empty()) {
        const std::string host(environment.Get(variables.host).value_or("127.0.0.1"));
        const std::string port(has_port ? *port_given : variables.default_port);
        text = "http://" + Reachable(host) + ":" + port;
        source = std::string(variables.host) + " or " + variables.port;
    }
    while (text.ends_with('/')) text.pop_back();
    auto url = http::Url::Parse(text);
    // A query would swallow the path that is appended. The value may hold a password: not shown.
    if (!url || url->target.find('?') != std::string::npos)
        return FailField(source, source + " is no URL like http://127.0.0.1:8000");
    Endpoint endpoint;
    endpoint.name = variables.name;
    endpoint.base = std::move(text);
    endpoint.url = std::move(*url);
    return endpoint;
}

bool IsLoopback(const std::string& host) {
    return host == "localhost" || host == "::1" || host.starts_with("127.");
}

Result<void> SetKey(Endpoint& endpoint, std::string key, std::string source) {
    const bool fits =
        std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c <= '~'; });
    if (!fits)
        return FailField(source, "the key in " + source + " has characters that no key can have");
    endpoint.key = SecretString(std::move(key));
    endpoint.key_source = std::move(source);
    return {};
}

}  // namespace

Result<Endpoint> BusinessApi(const config::Environment& environment, const std::string& url) {
    static const Variables variables = {"business API",
                                        {"BUSINESS_API_URL", "AI_MANAGER_API_URL"},
                                        "BUSINESS_API_HOST",
                                        "BUSINESS_API_PORT",
                                        "8000"};
    auto endpoint = Find(environment, url, "--url", variables);
    if (!endpoint) return endpoint;
    if (const auto key = environment.Get("API_KEY")) {
        if (auto set = SetKey(*endpoint, std::string(*key), "API_KEY"); !set)
            return Unexpected(std::move(set.error()));
        return endpoint;
    }
    if (!IsLoopback(endpoint->url.host)) return endpoint;
    if (auto kept = ReadKept(environment, "api_key")) {
        if (auto set = SetKey(*endpoint, std::move(kept->text), kept->file.string()); !set)
            return Unexpected(std::move(set.error()));
    }
    return endpoint;
}

Result<Endpoint> DataApi(const config::Environment& environment, const std::string& url) {
    static const Variables variables = {
        "data API", {"DATA_API_URL"}, "DATA_API_HOST", "DATA_API_PORT", "8001"};
    auto endpoint = Find(environment, url, "--data-url", variables);
    if (!endpoint) return endpoint;
    if (const auto token = environment.Get("DATA_API_TOKEN")) {
        if (auto set = SetKey(*endpoint, std::string(*token), "DATA_API_TOKEN"); !set)
            return Unexpected(std::move(set.error()));
    }
    return endpoint;
}

Result<Endpoint> HealthWorker(const config::Environment& environment, const std::string& url) {
    static const Variables variables = {
        "health worker", {"HEALTH_WORKER_URL"},  "HEALTH_WORKER_HOST", "HEALTH_WORKER_PORT",
        "8002",          "run/health-worker.url"};
    return Find(environment, url, "--worker-url", variables);
}

Result<Endpoint> TelegramBot(const config::Environment& environment, const std::string& url) {
    static const Variables variables = {
        "telegram bot", {"TELEGRAM_BOT_URL"},  "TELEGRAM_BOT_HOST", "TELEGRAM_BOT_PORT",
        "8003",         "run/telegram-bot.url"};
    return Find(environment, url, "--bot-url", variables);
}

Result<void> RequireKey(const Endpoint& endpoint) {
    if (!endpoint.key.empty()) return {};
    return FailField("API_KEY",
                     IsLoopback(endpoint.url.host)
                         ? "no API key: set API_KEY, or AIM_STATE_DIR to the state folder of "
                           "tools/run.sh, which has it in the file api_key (it must be readable)"
                         : "no API key: set API_KEY (the one in the state folder is sent to this "
                           "machine only, not to " +
                               endpoint.base + ")");
}

}  // namespace aim::cli
