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
    for (const char* wrong :
         {"models add x --provider mock --context-window -5", "keys create x --rate-limit -1"}) {
        const Outcome outcome = Aimanager(wrong);
        EXPECT_EQ(outcome.exit_code, 2) << outcome.output;
        EXPECT_LT(outcome.output.size(), 400u) << outcome.output;
    }
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
    const Outcome outcome = Aimanager("plugin check --probe " + Fixture("good_http").string());
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
}

TEST(CommandLineTest, CheckRunsTheChecksThatAreAskedFor) {
    const std::string good = Fixture("good").string();
    const Outcome two =
        Aimanager("plugin check --json --only null-is-allowed --only init-deinit-repeat " + good);
    EXPECT_EQ(two.exit_code, 0) << two.output;
    EXPECT_TRUE(Has(two.output, R"("passed":2,"failed":0,"skipped":0,"seed":1)")) << two.output;
    const Outcome left_out = Aimanager("plugin check --json --only fuzz --skip fuzz " + good);
    EXPECT_TRUE(Has(left_out.output, R"("message":"by --skip")")) << left_out.output;
    EXPECT_EQ(Aimanager("plugin check --only no-such-check " + good).exit_code, 2);
    EXPECT_EQ(Aimanager("plugin check --settings '{' " + good).exit_code, 2);
    EXPECT_EQ(Aimanager("plugin check --answer /nonexistent " + good).exit_code, 2);
    const Outcome here = Aimanager("plugin check --in-process --only null-is-allowed " + good);
    EXPECT_EQ(here.exit_code, 0) << here.output;
}

TEST(CommandLineTest, CheckListsItsChecks) {
    const Outcome text = Aimanager("plugin check --list-checks");
    EXPECT_EQ(text.exit_code, 0);
    for (const char* name : {"gateway-probe", "entry-exports-exactly-one-symbol", "status-table",
                             "old-host-smaller-tables", "fuzz"}) {
        EXPECT_TRUE(Has(text.output, std::string(name) + "\n    ")) << name;
    }
    EXPECT_TRUE(Has(Aimanager("plugin check --list-checks --json").output, R"({"name":"fuzz")"));
}

// The seed that a failure names makes the same failure.
TEST(CommandLineTest, AFuzzedFailureIsRepeatedByItsSeed) {
    const std::string bad = Fixture("begin_garbage_later").string();
    const Outcome found = Aimanager("plugin check --json --only fuzz --fuzz-rounds 500 " + bad);
    ASSERT_EQ(found.exit_code, 1) << found.output;
    const std::string mark = "--reproduce ";
    const std::size_t at = found.output.find(mark);
    ASSERT_NE(at, std::string::npos) << found.output;
    const std::string seed =
        found.output.substr(at + mark.size(), found.output.find('"', at) - at - mark.size());
    const Outcome again = Aimanager("plugin check --json --reproduce " + seed + " " + bad);
    EXPECT_EQ(again.exit_code, 1) << again.output;
    EXPECT_TRUE(Has(again.output, "begin returned 4711")) << again.output;
    EXPECT_TRUE(Has(again.output, R"("seed":)" + seed)) << again.output;
    // Another seed makes another session, which may be good.
    EXPECT_GT(std::stoi(seed), 1);
    EXPECT_EQ(Aimanager("plugin check --json --reproduce 1 " + bad).exit_code, 0);
}

TEST(CommandLineTest, AnAnswerOfItsProviderCanBeGiven) {
    const TempFolder folder;
    WriteAll(folder / "answer.http", "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{}");
    const std::string good = Fixture("good").string();
    const std::string file = (folder / "answer.http").string();
    EXPECT_EQ(Aimanager("plugin check --only fuzz --answer " + file + " " + good).exit_code, 0);
    for (const char* text :
         {"", "HTTP/1.1\n\n", "HTTP/1.1 200 OK\nno colon\n\n", "HTTP/1.1 200 OK\na: b\n"}) {
        WriteAll(folder / "answer.http", text);
        EXPECT_EQ(Aimanager("plugin check --answer " + file + " " + good).exit_code, 2) << text;
    }
}

TEST(CommandLineTest, NewWritesWhatItIsAskedForAndOverwritesNothing) {
    const TempFolder folder;
    const std::string into = " --into " + folder.path().string();
    EXPECT_EQ(Aimanager("plugin new my-ai --lang c" + into).exit_code, 0);
    EXPECT_TRUE(Has(ReadAll(folder.path() / "my-ai" / "plugin.c"), "\"MY_AI_API_KEY\""));
    EXPECT_TRUE(Has(ReadAll(folder.path() / "my-ai" / "CMakeLists.txt"),
                    "aim_plugin(my-ai SOURCES plugin.c)"));
    EXPECT_FALSE(Has(ReadAll(folder.path() / "my-ai" / "README.md"), "@"));
    EXPECT_EQ(Aimanager("plugin new my-ai --lang cpp" + into).exit_code, 3);
    EXPECT_FALSE(fs::exists(folder.path() / "my-ai" / "plugin.cpp"));
    for (const char* name : {"My", "1ai", "a/b", "..", "''"}) {
        EXPECT_EQ(Aimanager(std::string("plugin new ") + name + " --lang c" + into).exit_code, 2)
            << name;
    }
    EXPECT_EQ(Aimanager("plugin new other --lang cobol" + into).exit_code, 2);
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
