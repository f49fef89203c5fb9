#include "tests/integration/health_worker/worker_process.hpp"

namespace aim::gateway {
namespace {

ProcessFixture::Spec SpecOf(const std::filesystem::path& state, std::uint16_t data_api_port,
                            const Environment& more) {
    Environment environment = {
        {"HEALTH_WORKER_PORT", "0"},
        {"HEALTH_CHECK_INTERVAL", "3600"},
        {"DATA_API_URL", "http://127.0.0.1:" + std::to_string(data_api_port)},
        {"AIM_STATE_DIR", state.string()},
        {"PLUGIN_PATH", AIM_BINARY_DIR "/plugins"},
        {"GROQ_API_KEY", std::string(kCanary)},
        {"CATALOGUE_REFRESH_MS", "100"},
        {"LOG_LEVEL", "DEBUG"}};
    for (const auto& [name, value] : more) environment[name] = value;
    return {AIM_BINARY_DIR "/bin/aimanager-health-worker", {}, environment};
}

}  // namespace

Worker::Worker(const std::filesystem::path& state, std::uint16_t data_api_port,
               const Environment& more)
    : process_(SpecOf(state, data_api_port, more)) {}

std::uint16_t Worker::Port() {
    const auto port = process_.WaitForPort("\"event\":\"started\"", std::chrono::seconds(60));
    EXPECT_TRUE(port) << output();
    return port.value_or(0);
}

std::vector<json::Document> Worker::Events(std::string_view event) const {
    const std::string text = output();
    const std::string mark = "\"event\":" + Quote(event);
    std::vector<json::Document> lines;
    std::size_t at = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos;
         at = end + 1, end = text.find('\n', at)) {
        const std::string_view line = std::string_view(text).substr(at, end - at);
        if (line.find(mark) != std::string_view::npos) lines.push_back(Json(line));
    }
    return lines;
}

bool Worker::AwaitRounds(std::size_t count) {
    return process_.WaitUntil([&] { return Events("health_round_finished").size() >= count; },
                              std::chrono::seconds(60));
}

json::Document Worker::Line(std::string_view event, std::string_view model) const {
    for (json::Document& line : Events(event)) {
        if (line.root().Get("model").StringOr("") == model) return std::move(line);
    }
    return Json("{}");
}

}  // namespace aim::gateway
