// The commands of an operator: models, history, status, plugins, completion.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/integration/cli/cli_test_base.hpp"

namespace aim::cli {
namespace {

using gateway::Eventually;
using gateway::Json;

class OperatorTest : public CliTest {};

json::Document OneModel(const json::Document& models, std::string_view name) {
    for (const auto& [key, model] : models.root()) {
        if (model.Get("name").StringOr("") == name) return Json(model.ToJson());
    }
    ADD_FAILURE() << "no model " << name;
    return {};
}

TEST_F(OperatorTest, AddsShowsSwitchesAndRemovesAModel) {
    EXPECT_EQ(Aimanager({"models", "list"}).out, "no models\n");
    const Outcome added = Aimanager(
        {"models", "add", "shaky 1", "--provider", "mock", "--endpoint", "mock://local", "--set",
         "error_rate=0.5", "--set", "answer_text=Hi there", "--capability", "stream",
         "--capability", "tools", "--context-window", "8192", "--input-price", "0.59"});
    EXPECT_EQ(added.exit_code, 0) << added.err;
    EXPECT_TRUE(Has(added.out, "added shaky 1")) << added.out;
    const json::Document second = AimanagerJson({"models", "add", "second", "--provider", "mock",
                                                 "--endpoint", "mock://", "--inactive", "--json"});
    EXPECT_EQ(second.root().Get("name").StringOr(""), "second");
    EXPECT_FALSE(second.root().Get("is_active").BoolOr(true));

    const json::Document row = OneModel(AimanagerJson({"models", "list", "--json"}), "shaky 1");
    EXPECT_EQ(row.root().Get("settings").Get("error_rate").DoubleOr(0), 0.5);
    EXPECT_EQ(row.root().Get("settings").Get("answer_text").StringOr(""), "Hi there");
    EXPECT_EQ(row.root().Get("capabilities").size(), 2u);
    EXPECT_EQ(row.root().Get("context_window").Int64Or(0), 8192);
    EXPECT_EQ(row.root().Get("input_price_per_million").StringOr(""), "0.59");
    const Outcome text = Aimanager({"models", "list"});
    EXPECT_TRUE(text.out.starts_with("NAME")) << text.out;
    EXPECT_TRUE(Has(text.out, "shaky 1") && Has(text.out, "second")) << text.out;
    EXPECT_FALSE(Has(text.out, "\x1b")) << text.out;
    EXPECT_FALSE(Has(Aimanager({"models", "list", "--active"}).out, "second"));

    EXPECT_EQ(Aimanager({"models", "disable", "shaky 1"}).out, "disabled shaky 1\n");
    EXPECT_FALSE(OneModel(AimanagerJson({"models", "list", "--json"}), "shaky 1")
                     .root()
                     .Get("is_active")
                     .BoolOr(true));
    const json::Document enabled = AimanagerJson({"models", "enable", "--json", "shaky 1"});
    EXPECT_TRUE(enabled.root().Get("is_active").BoolOr(false));
    const std::string id(second.root().Get("id").StringOr(""));
    EXPECT_EQ(Aimanager({"models", "enable", id}).out, "enabled second\n");

    const json::Document removed = AimanagerJson({"models", "remove", id, "--json"});
    EXPECT_EQ(removed.root().Get("removed").StringOr(""), "second");
    EXPECT_EQ(Aimanager({"models", "remove", "shaky 1"}).out, "removed shaky 1\n");
    EXPECT_EQ(Aimanager({"models", "list", "--json"}).out, "[]\n");
}

TEST_F(OperatorTest, SaysWhyAModelCannotBeChanged) {
    for (const char* const command : {"enable", "disable", "remove"}) {
        const Outcome run = Aimanager({"models", command, "nobody"});
        EXPECT_EQ(run.exit_code, 1);
        EXPECT_TRUE(Has(run.err, "there is no model \"nobody\"")) << run.err;
    }
    EXPECT_EQ(Aimanager({"models", "add", "one", "--provider", "mock"}).exit_code, 0);
    const Outcome twice = Aimanager({"models", "add", "one", "--provider", "mock"});
    EXPECT_EQ(twice.exit_code, 1);
    EXPECT_TRUE(Has(twice.err, "duplicate_name")) << twice.err;
    const Outcome bad =
        Aimanager({"models", "add", "two", "--provider", "mock", "--endpoint", "no"});
    EXPECT_EQ(bad.exit_code, 1);
    EXPECT_TRUE(Has(bad.err, "endpoint")) << bad.err;
    const SilentPort nobody;
    const Outcome away = Aimanager({"models", "list", "--data-url", nobody.url()});
    EXPECT_EQ(away.exit_code, 3);
    EXPECT_TRUE(Has(away.err, nobody.url())) << away.err;
}

// A provider's key comes from a variable or the standard input, and is never seen again.
TEST_F(OperatorTest, PrintsNoKeyOfAProvider) {
    const std::string key = "row-key-canary-4471";
    const Outcome variable =
        Aimanager({"models", "add", "a", "--provider", "groq", "--api-key-env", "MY_KEY", "--json"},
                  {{"MY_KEY", key}});
    const Outcome input =
        Aimanager({"models", "add", "b", "--provider", "groq", "--api-key-stdin"}, {}, key + "\n");
    for (const Outcome* const run : {&variable, &input}) {
        // This data API has no MASTER_KEY, so it refuses.
        EXPECT_EQ(run->exit_code, 1) << run->out << run->err;
        EXPECT_TRUE(Has(run->err, "answered 400")) << run->err;
        EXPECT_FALSE(Has(run->out + run->err, key));
    }
    EXPECT_EQ(Aimanager({"models", "add", "c", "--provider", "groq", "--api-key-env", "NOT_SET"})
                  .exit_code,
              2);
    EXPECT_EQ(Aimanager({"models", "add", "c", "--provider", "groq", "--api-key-stdin"}).exit_code,
              2);
}

TEST_F(OperatorTest, ShowsTheHistory) {
    const std::string id = AddModel("m1");
    AddModel("m2");
    provider().Script("m1", R"({"text":"First answer."})");
    provider().Script("m2", R"({"text":"Second answer."})");
    for (const char* const model : {"m1", "m2"}) {
        const gateway::HttpAnswer answer =
            Prompt(std::string(R"("prompt":"Question for )") + model + R"(","user_id":"user )" +
                   model + R"(","model":")" + model + "\"");
        ASSERT_EQ(answer.status, 200) << answer.body;
        HistoryRow(answer.Header("X-Request-Id"));
    }
    const Outcome newest = Aimanager({"history", "--limit", "1"});
    EXPECT_EQ(newest.exit_code, 0) << newest.err;
    EXPECT_TRUE(newest.out.starts_with("TIME (UTC)")) << newest.out;
    EXPECT_TRUE(Has(newest.out, "Question for m2") && Has(newest.out, "success")) << newest.out;
    EXPECT_FALSE(Has(newest.out, "Question for m1")) << newest.out;

    const json::Document of_m1 = AimanagerJson({"history", "--model", "m1", "--json"});
    ASSERT_EQ(of_m1.root().Get("items").size(), 1u);
    EXPECT_EQ(of_m1.root().Get("items").At(0).Get("response_text").StringOr(""), "First answer.");
    const json::Document of_user = AimanagerJson({"history", "--user", "user m2", "--json"});
    ASSERT_EQ(of_user.root().Get("items").size(), 1u);
    EXPECT_EQ(of_user.root().Get("items").At(0).Get("model_name").StringOr(""), "m2");
    EXPECT_EQ(Aimanager({"history", "--user", "user m2", "--status", "error"}).out, "no prompts\n");
    const Outcome unknown = Aimanager({"history", "--model", "nobody"});
    EXPECT_EQ(unknown.exit_code, 1);
    EXPECT_TRUE(Has(unknown.err, "nobody")) << unknown.err;
}

TEST_F(OperatorTest, FollowsTheHistory) {
    AddModel("m1");
    const auto ask = [&](const std::string& text) {
        return Prompt("\"user_id\":\"follower\",\"prompt\":\"" + text + "\"");
    };
    const gateway::HttpAnswer before = ask("before it began");
    ASSERT_EQ(before.status, 200) << before.body;
    HistoryRow(before.Header("X-Request-Id"));
    CliProcess text({"history", "-f", "--limit", "1", "--user", "follower"}, Surroundings());
    CliProcess lines({"history", "-f", "--limit", "1", "--user", "follower", "--json"},
                     Surroundings());
    ASSERT_TRUE(text.WaitForOut("before it began")) << text.err();
    ASSERT_TRUE(lines.WaitForOut("before it began")) << lines.err();
    ASSERT_EQ(ask("and after").status, 200);
    EXPECT_TRUE(text.WaitForOut("and after")) << text.out();
    EXPECT_TRUE(lines.WaitForOut("and after")) << lines.out();
    for (CliProcess* const process : {&text, &lines}) {
        process->Interrupt();
        EXPECT_EQ(process->Wait(), 130) << process->err();
        const std::string out = process->out();
        EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 2) << out;
        EXPECT_LT(out.find("before it began"), out.find("and after")) << out;
    }
}

TEST_F(OperatorTest, ShowsTheState) {
    AddModel("m1");
    AddModel("nowhere", "", "no_such_provider", "no_plugin");
    const Outcome text = Aimanager({"status"});
    EXPECT_EQ(text.exit_code, 0) << text.err;
    for (const char* const part : {"business API", "data API", "health worker", "m1", "available",
                                   "nowhere", "no_plugin", "LATENCY", "GENERATION", "groq"})
        EXPECT_TRUE(Has(text.out, part)) << part << "\n" << text.out;
    const json::Document state = AimanagerJson({"status", "--json"});
    EXPECT_EQ(state.root().Get("processes").At(0).Get("name").StringOr(""), "business API");
    EXPECT_EQ(state.root().Get("processes").At(0).Get("state").StringOr(""), "ready");
    EXPECT_EQ(state.root().Get("processes").At(1).Get("state").StringOr(""), "ready");
    EXPECT_EQ(state.root().Get("models").size(), 2u);
    EXPECT_GE(state.root().Get("plugins").Get("loaded").size(), 2u);

    // Without a key everything but the plugins.
    const gateway::TemporaryFolder empty;
    const Outcome keyless = Aimanager({"status"}, {{"AIM_STATE_DIR", empty.path().string()}});
    EXPECT_EQ(keyless.exit_code, 0) << keyless.err;
    EXPECT_TRUE(Has(keyless.out, "plugins: unknown (no API key)")) << keyless.out;

    const SilentPort nobody;
    const Outcome away = Aimanager({"status", "--url", nobody.url()});
    EXPECT_EQ(away.exit_code, 3);
    EXPECT_TRUE(Has(away.out, "unreachable")) << away.out;
    EXPECT_TRUE(Has(away.err, nobody.url())) << away.err;
    EXPECT_EQ(AimanagerJson({"status", "--json", "--url", nobody.url()}, 3)
                  .root()
                  .Get("processes")
                  .At(0)
                  .Get("state")
                  .StringOr(""),
              "unreachable");
}

// Wherever the worker and the bot listen: tools/run.sh lets them choose when it is given other
// ports, and leaves what they chose in the state folder. Other servers with a /ready play them.
TEST_F(OperatorTest, FindsTheWorkerAndTheBotWhereverTheyListen) {
    const SilentPort nobody;
    const std::string business = "http://127.0.0.1:" + std::to_string(stack().business_api.port);
    const std::string data_api = "http://127.0.0.1:" + std::to_string(stack().data_api.port);
    const auto expect = [&](const Arguments& more, const Environment& environment,
                            const std::string& worker, const std::string& bot) {
        Arguments arguments = {"status", "--json"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const Outcome run = Aimanager(arguments, environment);
        EXPECT_EQ(run.exit_code, 0) << run.err;
        const json::Document report = Json(run.out);
        const json::Value processes = report.root().Get("processes");
        EXPECT_EQ(processes.At(2).Get("name").StringOr(""), "health worker");
        EXPECT_EQ(processes.At(2).Get("url").StringOr(""), worker);
        EXPECT_EQ(processes.At(2).Get("state").StringOr(""),
                  worker == nobody.url() ? "unreachable" : "ready");
        EXPECT_EQ(processes.At(3).Get("name").StringOr(""), "telegram bot");
        EXPECT_EQ(processes.At(3).Get("url").StringOr(""), bot);
        EXPECT_EQ(processes.At(3).Get("state").StringOr(""),
                  bot == nobody.url() ? "unreachable" : "ready");
    };
    expect({"--worker-url", data_api, "--bot-url", business}, {}, data_api, business);
    expect({}, {{"HEALTH_WORKER_URL", business}, {"TELEGRAM_BOT_URL", nobody.url()}}, business,
           nobody.url());
    expect({},
           {{"HEALTH_WORKER_PORT", std::to_string(stack().data_api.port)},
            {"TELEGRAM_BOT_PORT", std::to_string(stack().business_api.port)}},
           data_api, business);
    // As tools/run.sh leaves them; a port that is asked for comes before.
    std::filesystem::create_directory(folder().path() / "run");
    std::ofstream(folder().path() / "run" / "health-worker.url") << business << "\n";
    std::ofstream(folder().path() / "run" / "telegram-bot.url") << data_api << "\n";
    expect({}, {{"HEALTH_WORKER_PORT", "0"}}, business, data_api);
    expect({"--bot-url", nobody.url()},
           {{"HEALTH_WORKER_PORT", std::to_string(stack().data_api.port)}}, data_api, nobody.url());

    const Outcome bad = Aimanager({"status", "--worker-url", "nonsense"});
    EXPECT_EQ(bad.exit_code, 2);
    EXPECT_TRUE(Has(bad.err, "--worker-url")) << bad.err;
}

TEST_F(OperatorTest, WatchesTheStateUntilCtrlC) {
    AddModel("m1");
    CliProcess process({"status", "--watch", "0.1", "--json"}, Surroundings());
    EXPECT_TRUE(Eventually(
        [&] {
            const std::string out = process.out();
            return std::count(out.begin(), out.end(), '\n') >= 3;
        },
        std::chrono::seconds(30)))
        << process.out() << process.err();
    process.Interrupt();
    EXPECT_EQ(process.Wait(), 130);
    const std::string out = process.out();
    EXPECT_TRUE(Json(out.substr(0, out.find('\n'))).root().Get("models").IsArray());
}

TEST_F(OperatorTest, ShowsThePluginsOfTheRunningGateway) {
    const Outcome text = Aimanager({"plugin", "list", "--running"});
    EXPECT_EQ(text.exit_code, 0) << text.out << text.err;
    EXPECT_TRUE(Has(text.out, "GENERATION") && Has(text.out, "mock")) << text.out;
    // Which settings it has, by name and state; what they are is nobody's business.
    for (const char* const part : {"ABI", "1.0", "SHA256", "serving", "GROQ_API_KEY set"})
        EXPECT_TRUE(Has(text.out, part)) << part << "\n" << text.out;
    const std::string url = "http://127.0.0.1:" + std::to_string(stack().business_api.port);
    const json::Document report = AimanagerJson({"plugin", "list", "--url", url, "--json"});
    bool found = false;
    for (const auto& [key, loaded] : report.root().Get("loaded"))
        found = found || loaded.Get("id").StringOr("") == "mock";
    EXPECT_TRUE(found);
    const Outcome refused =
        Aimanager({"plugin", "list", "--running"}, {{"API_KEY", "wrong-key-91c7"}});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_TRUE(Has(refused.err, "401")) << refused.err;
    const gateway::TemporaryFolder empty;
    EXPECT_EQ(Aimanager({"plugin", "list", "--running"}, {{"AIM_STATE_DIR", empty.path().string()}})
                  .exit_code,
              2);
}

TEST_F(OperatorTest, CompletesTheNamesOfModels) {
    AddModel("alpha-1");
    AddModel("alpha:2");
    AddModel("beta");
    // It does not wait for long, so a busy machine may need a second try.
    const auto completes = [&](const Arguments& words, const std::string& expected) {
        Arguments arguments = {"__complete"};
        arguments.insert(arguments.end(), words.begin(), words.end());
        std::string out;
        EXPECT_TRUE(Eventually([&] { return (out = Aimanager(arguments).out) == expected; },
                               std::chrono::seconds(30)))
            << out;
    };
    completes({"--", "ask", "--model", "al"}, "alpha-1\nalpha:2\n");
    completes({"--", "ask", "--model=b"}, "--model=beta\n");
    completes({"--line", "aimanager models enable alpha:"}, "alpha:2\n");
    const SilentPort nobody;
    const Outcome away =
        Aimanager({"__complete", "--", "ask", "--url", nobody.url(), "--model", ""});
    EXPECT_EQ(away.exit_code, 0);
    EXPECT_EQ(away.out + away.err, "");
}

TEST_F(OperatorTest, FitsTablesIntoTheTerminal) {
    AddModel("a-model-with-a-really-long-name-that-needs-room");
    AddModel("модель-с-длинным-именем");
    for (const bool colours : {true, false}) {
        PseudoTerminal terminal(40);
        CliProcess process({"models", "list"},
                           Surroundings({{"TERM", "xterm"}, {"NO_COLOR", colours ? "" : "1"}}), {},
                           terminal.path());
        EXPECT_EQ(process.Wait(), 0) << process.err();
        const std::string text = terminal.Read();
        EXPECT_EQ(Has(text, "\x1b["), colours) << text;
        EXPECT_TRUE(Has(text, "…")) << text;
        if (colours) continue;
        std::istringstream lines(text);
        std::string line;
        while (std::getline(lines, line)) {
            const auto columns = std::count_if(line.begin(), line.end(), [](char c) {
                return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
            });
            EXPECT_LE(columns, 40) << line;
        }
    }
}

}  // namespace
}  // namespace aim::cli
