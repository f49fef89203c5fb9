#include "tests/bench/load_options.hpp"

#include <charconv>
#include <fstream>
#include <iterator>
#include <string_view>

#include "tests/bench/nonce.hpp"

namespace aim::bench {
namespace {

constexpr std::size_t kPromptBytes = 350;

struct Target {
    std::string host;
    std::string authority;
    std::string path;
    std::uint16_t port = 0;
};

template <typename Number>
bool ReadNumber(std::string_view text, Number* number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
    return error == std::errc() && end == text.data() + text.size();
}

bool ReadMilliseconds(std::string_view text, double unit, std::chrono::milliseconds* duration) {
    double value = 0;
    if (!ReadNumber(text, &value) || !(value >= 0 && value * unit <= 86'400'000)) return false;
    *duration = std::chrono::milliseconds(static_cast<std::int64_t>(value * unit));
    return true;
}

bool ReadUrl(std::string_view url, Target* target) {
    constexpr std::string_view kScheme = "http://";
    if (!url.starts_with(kScheme)) return false;
    url.remove_prefix(kScheme.size());
    const std::size_t slash = url.find('/');
    const std::size_t colon = url.find(':');
    if (slash == std::string_view::npos || colon == std::string_view::npos || colon > slash)
        return false;
    target->host = url.substr(0, colon);
    target->authority = url.substr(0, slash);
    target->path = url.substr(slash);
    return ReadNumber(url.substr(colon + 1, slash - colon - 1), &target->port);
}

std::string DefaultBody(const std::string& model, bool stream, bool marked) {
    std::string prompt;
    if (marked) prompt.append(MarkedRequest::kPlace).append(" ");
    while (prompt.size() < kPromptBytes) prompt += "Explain quantum computing in plain words. ";
    prompt.resize(kPromptBytes);
    return "{\"model\":\"" + model + "\"," + (stream ? "\"stream\":true," : "") +
           "\"messages\":[{\"role\":\"user\",\"content\":\"" + prompt + "\"}]}";
}

std::string RequestText(const Target& target, const std::string& headers, const std::string& body) {
    return "POST " + target.path + " HTTP/1.1\r\nHost: " + target.authority +
           "\r\nContent-Type: application/json\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

const char* const kLoadUsage =
    "usage: bench_load --url http://HOST:PORT/PATH [--connections N] [--seconds T] [--requests N]\n"
    "                  [--warm-up T] [--model NAME] [--body FILE] [--header 'Name: value']...\n"
    "                  [--rate R] [--no-nonce] [--stream] [--deltas N] [--pace-ms N] [--late-ms N] "
    "[--stall-ms N]\n"
    "Closed loop over keep-alive connections. With --rate an open loop: R requests a second, each "
    "latency\n"
    "counted from when its request was meant to be sent. With --stream one stream on each "
    "connection, all at\n"
    "once; --pace-ms says how often the provider sends a delta, so that late ones are counted. The "
    "default body\n"
    "has a nonce that must come back. Prints one line of JSON.\n";

std::optional<LoadOptions> ReadLoadOptions(int argc, char** argv) {
    LoadOptions options;
    Target target;
    std::string headers;
    std::string body;
    std::string model = "bench";
    bool marked = true;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--stream") {
            options.stream = true;
            continue;
        }
        if (name == "--no-nonce") {
            marked = false;
            continue;
        }
        if (i + 1 == argc) return std::nullopt;
        const std::string value = argv[++i];
        bool good = true;
        if (name == "--url") {
            good = ReadUrl(value, &target);
        } else if (name == "--connections") {
            good = ReadNumber(value, &options.connections) && options.connections > 0;
        } else if (name == "--seconds") {
            good = ReadMilliseconds(value, 1000, &options.duration);
        } else if (name == "--warm-up") {
            good = ReadMilliseconds(value, 1000, &options.warm_up);
        } else if (name == "--requests") {
            good = ReadNumber(value, &options.max_requests);
        } else if (name == "--deltas") {
            good = ReadNumber(value, &options.rules.deltas);
        } else if (name == "--rate") {
            good = ReadNumber(value, &options.rate) && options.rate > 0 && options.rate <= 1e6;
        } else if (name == "--pace-ms") {
            good = ReadMilliseconds(value, 1, &options.rules.pace);
        } else if (name == "--late-ms") {
            good = ReadMilliseconds(value, 1, &options.rules.late);
        } else if (name == "--stall-ms") {
            good = ReadMilliseconds(value, 1, &options.rules.stall);
        } else if (name == "--model") {
            model = value;
        } else if (name == "--header") {
            headers += value + "\r\n";
        } else if (name == "--body") {
            std::ifstream file(value, std::ios::binary);
            good = file.good();
            body.assign(std::istreambuf_iterator<char>(file), {});
        } else {
            good = false;
        }
        if (!good) return std::nullopt;
    }
    const bool bounded = options.duration.count() > 0 || options.max_requests > 0 || options.stream;
    if (target.port == 0 || !bounded) return std::nullopt;
    // An open loop goes on for a time, over requests that are answered whole.
    if (options.rate > 0 && (options.stream || options.duration.count() == 0)) return std::nullopt;
    if (body.empty()) body = DefaultBody(model, options.stream, marked);
    options.host = target.host;
    options.port = target.port;
    options.request = RequestText(target, headers, body);
    return options;
}

}  // namespace aim::bench
