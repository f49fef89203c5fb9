// `aimanager ask` against a real gateway.
#include "tests/integration/cli/cli_test_base.hpp"

namespace aim::cli {
namespace {

using gateway::Eventually;
using gateway::Json;

class AskTest : public CliTest {};

TEST_F(AskTest, PrintsTheAnswerAndSaysWhoGaveIt) {
    AddModel("m1");
    provider().Script("m1", R"({"text":"Привет, 世界! One two three.","prompt_tokens":4,
                                "completion_tokens":9})");
    const Outcome run = Aimanager({"ask", "Say", "hello"});
    EXPECT_EQ(run.exit_code, 0) << run.err;
    EXPECT_EQ(run.out, "Привет, 世界! One two three.\n");
    EXPECT_TRUE(Has(run.err, "m1 (groq)")) << run.err;
    EXPECT_TRUE(Has(run.err, "score ")) << run.err;
    EXPECT_TRUE(Has(run.err, "4 + 9 tokens")) << run.err;
    EXPECT_TRUE(Has(provider().Requests().back().body, "\"Say hello\""));
    const Outcome quiet = Aimanager({"ask", "-q", "--no-stream", "Hi"});
    EXPECT_EQ(quiet.exit_code, 0);
    EXPECT_EQ(quiet.out, "Привет, 世界! One two three.\n");
    EXPECT_EQ(quiet.err, "");
}

TEST_F(AskTest, HandsItsOptionsOn) {
    AddModel("m1");
    const Outcome run = Aimanager({"ask", "--model", "m1", "--system", "Be brief.", "--max-tokens",
                                   "77", "--temperature", "0.25", "--", "-- odd"});
    EXPECT_EQ(run.exit_code, 0) << run.err;
    const std::string body = provider().Requests().back().body;
    const json::Document request = Json(body);
    EXPECT_EQ(request.root().Get("messages").At(0).Get("content").StringOr(""), "Be brief.");
    EXPECT_EQ(request.root().Get("messages").At(1).Get("content").StringOr(""), "-- odd");
    EXPECT_EQ(request.root().Get("temperature").DoubleOr(0), 0.25);
    EXPECT_TRUE(Has(body, "77")) << body;
}

TEST_F(AskTest, ReadsThePromptFromTheStandardInput) {
    AddModel("m1");
    EXPECT_EQ(Aimanager({"ask", "-"}, {}, "first line\nsecond \"line\"\n").exit_code, 0);
    const json::Document request = Json(provider().Requests().back().body);
    EXPECT_EQ(request.root().Get("messages").At(0).Get("content").StringOr(""),
              "first line\nsecond \"line\"");
    const Outcome empty = Aimanager({"ask", "-"}, {}, " \n");
    EXPECT_EQ(empty.exit_code, 2);
    EXPECT_TRUE(Has(empty.err, "the prompt is empty")) << empty.err;
}

TEST_F(AskTest, SaysAllAsJson) {
    AddModel("m1");
    provider().Script("m1", R"({"text":"Yes.","prompt_tokens":3,"completion_tokens":2})");
    const json::Document answer = AimanagerJson({"ask", "--json", "Hi"});
    const json::Value root = answer.root();
    EXPECT_EQ(root.Get("response").StringOr(""), "Yes.");
    EXPECT_EQ(root.Get("model").StringOr(""), "m1");
    EXPECT_EQ(root.Get("provider").StringOr(""), "groq");
    EXPECT_TRUE(root.Get("reliability_score").IsNumber());
    EXPECT_EQ(root.Get("attempts").Int64Or(0), 1);
    EXPECT_EQ(root.Get("usage").Get("completion_tokens").Int64Or(0), 2);
    EXPECT_EQ(root.Get("finish_reason").StringOr(""), "stop");
    EXPECT_FALSE(root.Get("request_id").StringOr("").empty());
}

TEST_F(AskTest, FallsBackUnlessToldNotTo) {
    AddModel("broken");
    AddModel("good");
    provider().Script("broken", R"({"status":500})");
    provider().Script("good", R"({"text":"Here."})");
    const Outcome fallen_back = Aimanager({"ask", "--model", "broken", "Hi"});
    EXPECT_EQ(fallen_back.exit_code, 0) << fallen_back.err;
    EXPECT_EQ(fallen_back.out, "Here.\n");
    EXPECT_TRUE(Has(fallen_back.err, "good (groq)")) << fallen_back.err;
    const Outcome alone = Aimanager({"ask", "--model", "broken", "--no-fallback", "Hi"});
    EXPECT_EQ(alone.exit_code, 1) << alone.out;
    EXPECT_EQ(alone.out, "");
    EXPECT_TRUE(Has(alone.err, "all_models_failed")) << alone.err;
}

TEST_F(AskTest, SaysWhyItFailed) {
    AddModel("m1");
    const Outcome unknown = Aimanager({"ask", "--model", "nobody", "Hi"});
    EXPECT_EQ(unknown.exit_code, 1);
    EXPECT_TRUE(Has(unknown.err, "model_not_found")) << unknown.err;
    const json::Document as_json =
        Json(Aimanager({"ask", "--json", "--model", "nobody", "Hi"}).out);
    EXPECT_EQ(as_json.root().Get("error_code").StringOr(""), "model_not_found");
    EXPECT_EQ(as_json.root().Get("status").Int64Or(0), 404);
    EXPECT_EQ(as_json.root().Get("exit_code").Int64Or(0), 1);

    const std::string wrong = "wrong-key-91c7";
    const Outcome refused = Aimanager({"ask", "Hi"}, {{"API_KEY", wrong}});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_TRUE(Has(refused.err, "invalid_api_key")) << refused.err;
    EXPECT_TRUE(Has(refused.err, "the key was taken from API_KEY")) << refused.err;
    EXPECT_FALSE(Has(refused.out + refused.err, wrong));

    const gateway::TemporaryFolder empty;
    const Outcome without = Aimanager({"ask", "Hi"}, {{"AIM_STATE_DIR", empty.path().string()}});
    EXPECT_EQ(without.exit_code, 2);
    EXPECT_TRUE(Has(without.err, "no API key")) << without.err;

    const SilentPort nobody;
    for (const bool json : {false, true}) {
        Arguments arguments = {"ask", "--url", nobody.url(), "Hi"};
        if (json) arguments.push_back("--json");
        const Outcome away = Aimanager(arguments);
        EXPECT_EQ(away.exit_code, 3);
        EXPECT_TRUE(Has(away.err, nobody.url())) << away.err;
        EXPECT_EQ(Has(away.out, "\"exit_code\":3"), json) << away.out;
    }
}

// The key that tools/run.sh keeps is for this machine; only who sets API_KEY sends it elsewhere.
TEST_F(AskTest, KeepsTheKeyOfTheStateFolderAtHome) {
    const Outcome run = Aimanager({"ask", "--url", "http://aimanager.invalid:8000", "Hi"});
    EXPECT_EQ(run.exit_code, 2);
    EXPECT_TRUE(Has(run.err, "API_KEY")) << run.err;
}

TEST_F(AskTest, PrintsWhatCameOfABrokenStream) {
    AddModel("m1");
    provider().Script("m1", R"({"text":"one two three four","chunks":4,"cut_after_chunks":2})");
    const Outcome run = Aimanager({"ask", "Hi"});
    EXPECT_EQ(run.exit_code, 1);
    EXPECT_TRUE(run.out.starts_with("one")) << run.out;
    EXPECT_TRUE(run.out.ends_with("\n")) << run.out;
    EXPECT_TRUE(Has(run.err, "the answer broke off")) << run.err;
}

TEST_F(AskTest, ShowsTextAtOnceAndLeavesWithCtrlC) {
    AddModel("m1");
    provider().Script("m1", R"({"text":"one two three","chunks":3,"stall_after_chunks":1})");
    CliProcess process({"ask", "Hi"}, Surroundings());
    ASSERT_TRUE(process.WaitForOut("on")) << process.err();
    process.Interrupt();
    EXPECT_EQ(process.Wait(), 130) << process.err();
    EXPECT_TRUE(provider().WaitFor(
        [](const auto& requests) {
            return !requests.empty() && requests.back().client_closed_after_ms.has_value();
        },
        std::chrono::seconds(20)));
    ExpectNoSecret(process.out() + process.err());
}

// Before the first byte of an answer as well.
TEST_F(AskTest, LeavesWithCtrlCWhileItWaits) {
    AddModel("m1");
    provider().Script("m1", R"({"never_answer":true})");
    CliProcess process({"ask", "--json", "Hi"}, Surroundings());
    ASSERT_TRUE(provider().WaitForRequests(1, std::chrono::seconds(30))) << process.err();
    process.Interrupt();
    EXPECT_EQ(process.Wait(), 130) << process.err();
    EXPECT_TRUE(provider().WaitFor(
        [](const auto& requests) { return requests.back().client_closed_after_ms.has_value(); },
        std::chrono::seconds(20)));
}

TEST_F(AskTest, NoticesThatTheServerDied) {
    AddModel("m1");
    provider().Script("m1", R"({"text":"one two three","chunks":3,"stall_after_chunks":1})");
    const gateway::TemporaryFolder state;
    gateway::Service gateway = gateway::StartBusinessApi(state.path(), stack().data_api.port);
    const std::string url = "http://127.0.0.1:" + std::to_string(gateway.port);
    ASSERT_TRUE(Eventually(
        [&] { return Has(gateway.Client().Get("/api/v1/models").body, "\"available\""); }));
    CliProcess process({"ask", "Hi"}, Surroundings({{"BUSINESS_API_URL", url}}));
    ASSERT_TRUE(process.WaitForOut("on")) << process.err();
    gateway.process->Kill();
    EXPECT_EQ(process.Wait(), 1) << process.err();
    EXPECT_TRUE(Has(process.err(), "the answer broke off")) << process.err();
    EXPECT_TRUE(process.out().starts_with("on")) << process.out();
}

// What a model writes does not move the cursor or change the title of a terminal.
TEST_F(AskTest, PrintsNoControlCharactersOnATerminal) {
    AddModel("m1");
    provider().Script("m1", R"({"text":"a\u001b]0;title\u0007b\u009bc","chunks":1})");
    EXPECT_EQ(Aimanager({"ask", "Hi"}).out,
              "a\x1b]0;title\x07"
              "b\xc2\x9b"
              "c\n");
    PseudoTerminal terminal(80);
    CliProcess process({"ask", "Hi"}, Surroundings(), {}, terminal.path());
    EXPECT_EQ(process.Wait(), 0) << process.err();
    EXPECT_EQ(terminal.Read(), "a]0;titlebc\n");
}

}  // namespace
}  // namespace aim::cli
