// The aimanager program as an operator runs it.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "tests/bad_plugins/plugin_folder.hpp"

namespace aim::cli {
namespace {

namespace fs = std::filesystem;
using plugin::testing::Fixture;
using plugin::testing::ReadAll;
using plugin::testing::TempFolder;
using plugin::testing::WriteAll;

struct Outcome {
    int exit_code = -1;
    std::string output;  // standard output only
};

Outcome Aimanager(const std::string& arguments) {
    const std::string program = std::string(AIM_BINARY_DIR) + "/bin/aimanager";
    std::FILE* const pipe = ::popen((program + " " + arguments + " 2>/dev/null").c_str(), "r");
    Outcome outcome;
    if (pipe == nullptr) return outcome;
    std::array<char, 4096> buffer;
    while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe))
        outcome.output.append(buffer.data(), got);
    const int status = ::pclose(pipe);
    outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return outcome;
}

bool Has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST(CommandLineTest, WrongUsageIsTwo) {
    EXPECT_EQ(Aimanager("").exit_code, 2);
    EXPECT_EQ(Aimanager("nonsense").exit_code, 2);
    EXPECT_EQ(Aimanager("plugin check").exit_code, 2);
    EXPECT_EQ(Aimanager("--help").exit_code, 0);
    ::setenv("PLUGIN_SHA256_ALLOW", "nonsense", 1);
    EXPECT_EQ(Aimanager("plugin check /dev/null").exit_code, 2);
    ::unsetenv("PLUGIN_SHA256_ALLOW");
}

TEST(CommandLineTest, CheckAcceptsAGoodPlugin) {
    const Outcome text = Aimanager("plugin check " + Fixture("good").string());
    EXPECT_EQ(text.exit_code, 0) << text.output;
    EXPECT_TRUE(Has(text.output, "good 1.0.0")) << text.output;
    const Outcome json = Aimanager("plugin check --json " + Fixture("good").string());
    EXPECT_TRUE(Has(json.output, R"("ok":true)")) << json.output;
    EXPECT_TRUE(Has(json.output, R"("id":"good")")) << json.output;
    EXPECT_TRUE(Has(json.output, R"("abi":"1.0")")) << json.output;
}

// The request that is tried goes to the descriptor's own endpoint.
TEST(CommandLineTest, CheckFollowsAPluginToItsFirstRequest) {
    const Outcome outcome = Aimanager("plugin check " + Fixture("good_http").string());
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
}

TEST(CommandLineTest, CheckRefusesWithTheReason) {
    for (const auto& [fixture, reason] :
         {std::pair("init_fails", "init_failed"), std::pair("crash_in_init", "probe_crashed"),
          std::pair("extra_export", "extra_exports")}) {
        const Outcome outcome =
            Aimanager(std::string("plugin check --json ") + Fixture(fixture).string());
        EXPECT_EQ(outcome.exit_code, 1) << fixture;
        EXPECT_TRUE(Has(outcome.output, std::string(R"("reason":")") + reason + '"'))
            << outcome.output;
    }
    EXPECT_TRUE(Has(Aimanager("plugin check /nonexistent").output, "unreadable"));
}

TEST(CommandLineTest, ProbePrintsOneLine) {
    EXPECT_EQ(Aimanager("plugin check --probe " + Fixture("good").string()).output,
              "ok\tgood\t1.0.0\n");
    EXPECT_EQ(Aimanager("plugin check --probe --json " + Fixture("good").string()).output,
              "{\"ok\":true,\"id\":\"good\",\"version\":\"1.0.0\"}\n");
    const Outcome refused =
        Aimanager("plugin check --probe --json " + Fixture("begin_garbage").string());
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_TRUE(Has(refused.output, "request-minimal: begin returned 4711")) << refused.output;
}

TEST(CommandLineTest, InfoRunsNoCode) {
    const Outcome crash = Aimanager("plugin info " + Fixture("crash_in_constructor").string());
    EXPECT_EQ(crash.exit_code, 0) << crash.output;
    const Outcome good = Aimanager("plugin info --json " + Fixture("good").string());
    EXPECT_TRUE(Has(good.output, R"("version":"1.0.0")")) << good.output;
    EXPECT_TRUE(Has(good.output, R"("sha256":")")) << good.output;
}

TEST(CommandLineTest, ListSaysWhatWouldLoad) {
    const TempFolder folder;
    WriteAll(folder / "good.so", ReadAll(Fixture("good")));
    WriteAll(folder / "text.so", "text");
    ::setenv("PLUGIN_PATH", folder.path().c_str(), 1);
    const Outcome outcome = Aimanager("plugin list --json");
    ::unsetenv("PLUGIN_PATH");
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_TRUE(Has(outcome.output, R"("id":"good")")) << outcome.output;
    EXPECT_TRUE(Has(outcome.output, R"("reason":"not_elf")")) << outcome.output;
    const Outcome empty = Aimanager("plugin list --path " + (folder / "absent").string());
    EXPECT_EQ(empty.exit_code, 0);
    EXPECT_EQ(empty.output, "no plugin files in the plugin folders\n");
}

#ifdef AIM_CLI_EXPORTS_NOTHING
// A plugin's own function must never bind to one of the program's.
TEST(CommandLineTest, ProgramExportsNothing) {
    std::FILE* const pipe =
        ::popen("nm -D --defined-only '" AIM_BINARY_DIR "/bin/aimanager' 2>&1", "r");
    ASSERT_NE(pipe, nullptr);
    std::string symbols;
    std::array<char, 4096> buffer;
    while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe))
        symbols.append(buffer.data(), got);
    ::pclose(pipe);
    EXPECT_TRUE(symbols.empty()) << symbols;
}
#endif

}  // namespace
}  // namespace aim::cli
