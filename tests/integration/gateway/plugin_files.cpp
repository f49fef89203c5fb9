#include "tests/integration/gateway/plugin_files.hpp"

#include <fstream>
#include <sstream>
#include <thread>

namespace aim::gateway {

namespace fs = std::filesystem;

namespace {

void Write(const fs::path& path, std::string_view bytes, std::ios::openmode mode) {
    std::ofstream file(path, std::ios::binary | mode);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.close();
    EXPECT_TRUE(file) << path;
    fs::permissions(path, fs::perms(0644));
}

json::Document Report(HttpTestClient& client) {
    return Json(client.Get("/api/v1/plugins", {{"X-API-Key", std::string(kCallerKey)}}).body);
}

}  // namespace

std::string FixtureBytes(const std::string& name) {
    std::ostringstream bytes;
    bytes << std::ifstream(fs::path(AIM_BINARY_DIR) / "bad_plugins" / (name + ".so"),
                           std::ios::binary)
                 .rdbuf();
    return bytes.str();
}

std::string WithMark(const std::string& bytes, int mark) {
    return bytes + "#" + std::to_string(mark);
}

void PluginFile::MoveIn(std::string_view bytes) {
    const fs::path scratch = path_.parent_path().parent_path() / path_.filename();
    Write(scratch, bytes, std::ios::trunc);
    fs::rename(scratch, path_);
}

void PluginFile::CopyOver(std::string_view bytes) { Write(path_, bytes, std::ios::trunc); }

void PluginFile::WriteSlowly(std::string_view bytes, int pieces, std::chrono::milliseconds pause) {
    const std::size_t size = bytes.size() / static_cast<std::size_t>(pieces) + 1;
    for (std::size_t at = 0; at < bytes.size(); at += size) {
        Write(path_, bytes.substr(at, size), at == 0 ? std::ios::trunc : std::ios::app);
        std::this_thread::sleep_for(pause);  // what is tested is the pause
    }
}

void PluginFile::Remove() {
    std::error_code ignored;
    fs::remove(path_, ignored);
}

json::Document PluginReport(HttpTestClient& client, const std::string& list,
                            const std::string& id) {
    const json::Document report = Report(client);
    for (const auto& [key, plugin] : report.root().Get(list)) {
        if (plugin.Get("id").StringOr("") == id) return Json(plugin.ToJson());
    }
    return Json("null");
}

std::string ReasonFor(HttpTestClient& client, std::string_view file_name) {
    const json::Document report = Report(client);
    for (const auto& [key, refused] : report.root().Get("refused")) {
        if (fs::path(refused.Get("file").StringOr("")).filename() == file_name)
            return std::string(refused.Get("reason").StringOr(""));
    }
    return {};
}

}  // namespace aim::gateway
