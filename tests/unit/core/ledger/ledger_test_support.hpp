#pragma once

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/ledger/journal.hpp"

namespace aim::ledger {

// A folder that goes with the object.
class ScratchFolder {
  public:
    ScratchFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "aim-ledger-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
        path_ = name;
    }
    ~ScratchFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

inline bool Eventually(const std::function<bool()>& condition,
                       std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

inline std::vector<Record> One(std::string json) {
    std::vector<Record> records(1);
    records[0].json = std::move(json);
    return records;
}

inline std::string ReadFile(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

inline void WriteFile(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// The segments' files, oldest first.
inline std::vector<std::filesystem::path> SegmentFiles(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
        if (Segment::NumberOf(file.path())) files.push_back(file.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

// Everything that is there to take, not acknowledged.
inline std::vector<std::string> TakeAll(Journal& journal) {
    std::vector<std::string> texts;
    for (;;) {
        const auto entries = journal.Take(500, 1u << 20);
        if (entries.empty()) return texts;
        for (const Journal::Entry& entry : entries) texts.push_back(entry.record.json);
    }
}

}  // namespace aim::ledger
