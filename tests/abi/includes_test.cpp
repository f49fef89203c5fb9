// A plugin sees the ABI and the shared dialect, nothing of the gateway; the ABI's headers see less.
#include <filesystem>
#include <fstream>
#include <functional>
#include <regex>
#include <string>

#include <gtest/gtest.h>

namespace aim::abi_test {
namespace {

bool StartsWith(const std::string& text, const std::string& start) {
    return text.rfind(start, 0) == 0;
}

// Calls check(file, name, quoted) for every include line below a folder of the tree.
std::size_t ForEachInclude(
    const std::string& folder,
    const std::function<void(const std::string&, const std::string&, bool)>& check) {
    static const std::regex kInclude("^\\s*#\\s*include\\s*([<\"])([^>\"]+)[>\"].*");
    std::size_t count = 0;
    const std::filesystem::path root = std::filesystem::path(AIM_SOURCE_DIR) / folder;
    for (const auto& file : std::filesystem::recursive_directory_iterator(root)) {
        const std::string extension = file.path().extension().string();
        if (extension != ".h" && extension != ".hpp" && extension != ".c" && extension != ".cpp") {
            continue;
        }
        std::ifstream in(file.path());
        for (std::string line; std::getline(in, line);) {
            std::smatch match;
            if (std::regex_match(line, match, kInclude)) {
                check(file.path().string(), match[2], match[1] == "\"");
                ++count;
            }
        }
    }
    return count;
}

TEST(Includes, PluginsSeeTheAbiAndTheSharedDialectOnly) {
    const std::size_t count = ForEachInclude(
        "plugins", [](const std::string& file, const std::string& name, bool quoted) {
            const std::string own =
                "plugins/" + std::filesystem::path(file).parent_path().filename().string() + "/";
            const bool allowed = StartsWith(name, "aim/") || StartsWith(name, own) ||
                                 StartsWith(name, "plugins/common/");
            // In angle brackets: the standard library, whose headers have no folders.
            EXPECT_TRUE(quoted ? allowed : name.find('/') == name.npos) << file << ": " << name;
        });
    EXPECT_GT(count, 20U);
}

TEST(Includes, TheAbiSeesItselfOnly) {
    const std::size_t count = ForEachInclude(
        "abi/include/aim/abi", [](const std::string& file, const std::string& name, bool quoted) {
            const bool allowed =
                quoted ? StartsWith(name, "aim/abi/") : name == "stdint.h" || name == "stddef.h";
            EXPECT_TRUE(allowed) << file << ": " << name;
        });
    EXPECT_GT(count, 20U);
}

TEST(Includes, TheSdkSeesTheAbiAndOnlyItsJsonSeesRapidJson) {
    ForEachInclude(
        "abi/include/aim/sdk", [](const std::string& file, const std::string& name, bool quoted) {
            const bool json = std::filesystem::path(file).filename() == "json.hpp";
            const bool allowed =
                quoted ? StartsWith(name, "aim/")
                       : name.find('/') == name.npos || (json && StartsWith(name, "rapidjson/"));
            EXPECT_TRUE(allowed) << file << ": " << name;
        });
}

}  // namespace
}  // namespace aim::abi_test
