#include "services/cli/completion.hpp"

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

namespace aim::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

std::vector<std::string> SomeModels() { return {"alpha", "alpha-2", "beta"}; }

// A parser with one of everything that a command can have.
class CompletionTest : public ::testing::Test {
  protected:
    CompletionTest() {
        CLI::App* const ask = app_.add_subcommand("ask", "Asks");
        ask->add_option("TEXT", texts_);
        ask->add_option("-m,--model", text_, "Which")->type_name("MODEL");
        ask->add_flag("--json", flag_, "As JSON");
        ask->add_option("--secret", text_)->group("");
        CLI::App* const models = app_.add_subcommand("models", "All about models");
        CLI::App* const enable = models->add_subcommand("enable", "Lets it");
        enable->add_option("NAME", text_)->type_name("MODEL");
        models->add_subcommand("list", "Lists")
            ->add_option("--status", text_)
            ->type_name("success|error");
        CLI::App* const check = app_.add_subcommand("check", "Checks");
        check->add_option("FILE", text_)->type_name("FILE");
        check->add_option("--watch", number_)->expected(0, 1)->type_name("[SECONDS]");
        app_.add_subcommand("hidden", "")->group("");
    }

    std::vector<std::string> Words(const std::vector<std::string>& typed) {
        std::vector<std::string> found;
        const Completion completion = Complete(app_, typed, SomeModels);
        for (const Completion::Word& word : completion.words) found.push_back(word.text);
        return found;
    }

    CLI::App app_;
    std::string text_;
    std::vector<std::string> texts_;
    double number_ = 0;
    bool flag_ = false;
};

TEST_F(CompletionTest, OffersCommands) {
    EXPECT_THAT(Words({""}), ElementsAre("ask", "models", "check"));
    EXPECT_THAT(Words({"m"}), ElementsAre("models"));
    EXPECT_THAT(Words({"models", ""}), ElementsAre("enable", "list"));
    EXPECT_THAT(Words({"x"}), IsEmpty());
    EXPECT_THAT(Words({}), ElementsAre("ask", "models", "check"));
}

TEST_F(CompletionTest, OffersOptionsOfTheCommand) {
    EXPECT_THAT(Words({"ask", "-"}), ElementsAre("--help", "--model", "--json"));
    EXPECT_THAT(Words({"ask", "some text", "--j"}), ElementsAre("--json"));
    EXPECT_THAT(Words({"ask", "--", "--j"}), IsEmpty());
}

TEST_F(CompletionTest, OffersValues) {
    EXPECT_THAT(Words({"ask", "--model", "a"}), ElementsAre("alpha", "alpha-2"));
    EXPECT_THAT(Words({"ask", "-m", "b"}), ElementsAre("beta"));
    EXPECT_THAT(Words({"ask", "--model=alpha-"}), ElementsAre("--model=alpha-2"));
    EXPECT_THAT(Words({"ask", "--model", "a", "--js"}), ElementsAre("--json"));
    EXPECT_THAT(Words({"models", "enable", "b"}), ElementsAre("beta"));
    EXPECT_THAT(Words({"models", "enable", "beta", ""}), IsEmpty());
    EXPECT_THAT(Words({"models", "list", "--status", ""}), ElementsAre("success", "error"));
    EXPECT_THAT(Words({"ask", "--unknown=a"}), IsEmpty());
}

TEST_F(CompletionTest, LeavesFilesToTheShell) {
    EXPECT_TRUE(Complete(app_, {"check", ""}, SomeModels).files);
    EXPECT_EQ(Complete(app_, {"check", ""}, SomeModels).ToLines(), ":files\n");
    EXPECT_FALSE(Complete(app_, {"check", "a", ""}, SomeModels).files);
    EXPECT_FALSE(Complete(app_, {"ask", ""}, SomeModels).files);
}

// A value that may be left out does not swallow the word behind it.
TEST_F(CompletionTest, KnowsOptionalValues) {
    EXPECT_THAT(Words({"check", "--watch", "--h"}), ElementsAre("--help"));
}

TEST(SplitLineTest, TakesQuotesOff) {
    EXPECT_THAT(SplitLine("aimanager ask"), ElementsAre("aimanager", "ask"));
    EXPECT_THAT(SplitLine("aimanager  ask "), ElementsAre("aimanager", "ask", ""));
    EXPECT_THAT(SplitLine(R"(a "b c" 'd "e' f\ g "h\"i")"),
                ElementsAre("a", "b c", "d \"e", "f g", "h\"i"));
    EXPECT_THAT(SplitLine("a \"open"), ElementsAre("a", "open"));
    EXPECT_THAT(SplitLine("a ''"), ElementsAre("a", ""));
    EXPECT_THAT(SplitLine(""), ElementsAre(""));
}

// The real script in the real shell, as the tab key drives it.
class BashCompletionTest : public ::testing::Test {
  protected:
    std::vector<std::string> Tab(const std::string& line) {
        const std::string program = std::string(AIM_BINARY_DIR) + "/bin/aimanager";
        std::string shown = line;
        if (shown.starts_with("aimanager")) shown.replace(0, 9, program);
        const std::string script = "source <(" + program +
                                   " completion bash)\n"
                                   "complete -p aimanager >/dev/null || exit 9\n"
                                   "COMP_LINE='" +
                                   shown +
                                   "' COMP_POINT=${#COMP_LINE}\n"
                                   "_aimanager " +
                                   program + "\nprintf '%s\\n' \"${COMPREPLY[@]}\"";
        std::string quoted;
        for (const char c : script) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
        std::FILE* const pipe =
            ::popen(("cd / && bash --norc -c '" + quoted + "' 2>&1").c_str(), "r");
        std::vector<std::string> found;
        std::string text;
        std::array<char, 4096> buffer;
        while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe))
            text.append(buffer.data(), got);
        EXPECT_EQ(::pclose(pipe), 0) << text;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = text.find('\n', at);
            found.push_back(text.substr(at, end - at));
            if (end == std::string::npos) break;
            at = end + 1;
        }
        return found;
    }

    void SetUp() override {
        if (std::system("bash --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no bash";
    }
};

TEST_F(BashCompletionTest, CompletesCommandsOptionsAndValues) {
    EXPECT_THAT(Tab("aimanager "),
                IsSupersetOf({"ask", "models", "history", "status", "plugin", "completion"}));
    EXPECT_THAT(Tab("aimanager mod"), ElementsAre("models"));
    EXPECT_THAT(Tab("aimanager models "), IsSupersetOf({"list", "add", "enable", "remove"}));
    EXPECT_THAT(Tab("aimanager ask --no-"), ElementsAre("--no-fallback", "--no-stream"));
    EXPECT_THAT(Tab("aimanager history --status s"), ElementsAre("success"));
    // Bash itself keeps what stands before the equals sign.
    EXPECT_THAT(Tab("aimanager history --status=s"), ElementsAre("success"));
    EXPECT_THAT(Tab("aimanager completion "), ElementsAre("bash", "zsh", "fish"));
    EXPECT_THAT(Tab("aimanager plugin check /et"), Contains("/etc"));
    EXPECT_THAT(Tab("aimanager plugin check /et"), Not(Contains("--json")));
}

}  // namespace
}  // namespace aim::cli
