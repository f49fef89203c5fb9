#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/plugin/elf_image.hpp"
#include "core/plugin/manifest_note.hpp"
#include "core/plugin/plugin_probe.hpp"
#include "core/plugin/registry.hpp"
#include "core/telemetry/log.hpp"

// What tests of the loader share: fixture files, temporary folders, a log that remembers, a probe
// that needs no process.
namespace aim::plugin::testing {

namespace fs = std::filesystem;

// A plugin built from tests/bad_plugins.
inline fs::path Fixture(const std::string& name) {
    return fs::path(AIM_BINARY_DIR) / "bad_plugins" / (name + ".so");
}

inline std::string ReadAll(const fs::path& path) {
    // Not character by character: a plugin has megabytes.
    std::ostringstream bytes;
    bytes << std::ifstream(path, std::ios::binary).rdbuf();
    return std::move(bytes).str();
}

inline void WriteAll(const fs::path& path, std::string_view bytes, mode_t mode = 0644) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.close();
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
}

// As an operator should do it: under a temporary name, then renamed.
inline void Install(std::string_view bytes, const fs::path& path) {
    fs::path temporary = path;
    temporary += ".tmp";
    WriteAll(temporary, bytes);
    fs::rename(temporary, path);
}

// The same plugin with another content: the loader ignores what stands behind the last table of the
// file.
inline std::string WithMark(std::string bytes, int mark) {
    return bytes + "#" + std::to_string(mark);
}

// Removed with everything in it at the end.
class TempFolder {
  public:
    TempFolder() {
        std::string name = (fs::temp_directory_path() / "aim-plugin-test-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = name;
    }
    ~TempFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    const fs::path& path() const { return path_; }
    fs::path operator/(const std::string& name) const { return path_ / name; }

  private:
    fs::path path_;
};

// Polls until `condition` holds; false after the deadline.
inline bool Eventually(const std::function<bool()>& condition,
                       std::chrono::seconds limit = std::chrono::seconds(20)) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

class RecordingLogger final : public telemetry::Logger {
  public:
    RecordingLogger() : Logger(telemetry::Level::kDebug) {}

    // How many lines have this event and a message that contains `text`.
    int Count(std::string_view event, std::string_view text = {}) const {
        const std::lock_guard lock(mutex_);
        int count = 0;
        for (const auto& [name, message] : lines_)
            count += name == event && message.find(text) != std::string::npos;
        return count;
    }

  private:
    void Write(telemetry::Level, std::string_view event, std::string_view message,
               std::span<const telemetry::Field>) override {
        const std::lock_guard lock(mutex_);
        lines_.emplace_back(event, message);
    }

    mutable std::mutex mutex_;
    std::vector<std::pair<std::string, std::string>> lines_;
};

// Believes a plugin's note; counts how often it was asked.
class NoteProbe final : public PluginProbe {
  public:
    explicit NoteProbe(std::shared_ptr<std::atomic<int>> count = nullptr)
        : count_(std::move(count)) {}

    ProbeResult Probe(const fs::path& staged, std::stop_token) override {
        if (count_) count_->fetch_add(1);
        ProbeResult result;
        const auto image = ParseElf(ReadAll(staged));
        const auto note =
            image && !image->notes.empty() ? ParseManifestNote(image->notes.front()) : std::nullopt;
        if (!note) {
            result.verdict = ProbeVerdict::Refused(RefusalReason::kProbeFailed, "no note");
            return result;
        }
        result.verdict.id = note->id;
        result.verdict.version = note->version;
        return result;
    }
    std::string Identity() const override { return "note-probe"; }

  private:
    const std::shared_ptr<std::atomic<int>> count_;
};

inline std::optional<RefusedFile> RefusalOf(const Registry& registry, const fs::path& file) {
    for (RefusedFile& refused : registry.Refusals()) {
        if (refused.file == file) return std::move(refused);
    }
    return std::nullopt;
}

inline std::string ReasonOf(const Registry& registry, const fs::path& file) {
    const auto refused = RefusalOf(registry, file);
    return refused ? std::string(RefusalName(refused->reason)) : "";
}

}  // namespace aim::plugin::testing
