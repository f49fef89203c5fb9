#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include "tests/integration/gateway/gateway_test_base.hpp"

namespace aim::gateway {

// A plugin of tests/bad_plugins, as bytes.
std::string FixtureBytes(const std::string& name);

// The same plugin with another content: the loader ignores what stands behind the last table of the
// file.
std::string WithMark(const std::string& bytes, int mark);

// One file of a plugin folder and the ways in which operators replace it. Removed at the end.
class PluginFile {
  public:
    explicit PluginFile(std::filesystem::path path) : path_(std::move(path)) {}
    ~PluginFile() { Remove(); }
    PluginFile(const PluginFile&) = delete;
    PluginFile& operator=(const PluginFile&) = delete;

    // Written beside the folder that is watched, then moved into it.
    void MoveIn(std::string_view bytes);
    // As cp does it: the file that is there is cut and written again.
    void CopyOver(std::string_view bytes);
    // In pieces with pauses, closed after each, over the file that is there.
    void WriteSlowly(std::string_view bytes, int pieces, std::chrono::milliseconds pause);
    void Remove();

    const std::filesystem::path& path() const { return path_; }

  private:
    const std::filesystem::path path_;
};

// The plugin of GET /api/v1/plugins in `list` ("loaded", "retiring") with this id, or null.
json::Document PluginReport(HttpTestClient& client, const std::string& list, const std::string& id);

// The reason why the file of this name is refused; empty when it is not.
std::string ReasonFor(HttpTestClient& client, std::string_view file_name);

}  // namespace aim::gateway
