// The writer's guide to its end: its plugin, built outside of the tree from the installed package
// and checked, answers prompts of a gateway that was running all the time.
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "tests/integration/gateway/plugin_files.hpp"

namespace aim::gateway {
namespace {

namespace fs = std::filesystem;

std::string Text(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// A shell's command; what it says is in `log`.
bool Shell(const std::string& command, const fs::path& log) {
    return std::system((command + " >'" + log.string() + "' 2>&1").c_str()) == 0;
}

TEST_F(GatewayTest, ThePluginOfTheGuideAnswersInARunningGateway) {
    constexpr std::string_view kKey = "acme-canary-58c20e";
    const TemporaryFolder state;
    const Service service = StartBusinessApi(state.path(), stack().data_api.port,
                                             {{"ACME_API_KEY", std::string(kKey)}});
    HttpTestClient gateway = service.Client();
    provider().ScriptPath("/generate", R"({"body":{"text":"Written by the guide.","stop":"end"}})");

    // An author has the package and a folder of their own.
    const TemporaryFolder author;
    const std::string installed = (author.path() / "installed").string();
    const fs::path log = author.path() / "log";
    ASSERT_TRUE(Shell(
        "cmake --install '" AIM_BINARY_DIR "' --component sdk --prefix '" + installed + "'", log))
        << Text(log);
    const fs::path folder = author.path() / "acme";
    ASSERT_TRUE(Shell(
        AIM_SOURCE_DIR "/tests/abi/guide_plugin.sh '" + installed + "' '" + folder.string() + "'",
        log))
        << Text(log);
    EXPECT_NE(Text(folder / "report").find(", 0 failed,"), std::string::npos)
        << Text(folder / "report");

    // Step 7 of the guide, with the folder of this gateway.
    PluginFile file(state.path() / "plugins" / "acme.so");
    file.MoveIn(Text(folder / "acme.so"));
    const HttpAnswer row =
        data().Post("/api/v1/models", R"({"name":"anvil-1","provider":"acme","endpoint":)" +
                                          Quote(provider().url()) + "}");
    ASSERT_EQ(row.status, 201) << row.body;
    HttpAnswer answer;
    const auto answers = [&] {
        answer = gateway.Post("/api/v1/prompts",
                              R"({"prompt":"Who wrote you?","model":"anvil-1","fallback":false})",
                              Key());
        return answer.status == 200;
    };
    ASSERT_TRUE(Eventually(answers, std::chrono::seconds(30)))
        << answer.body << gateway.Get("/api/v1/plugins", Key()).body;
    const json::Document document = Json(answer.body);
    EXPECT_EQ(document.root().Get("response").StringOr(""), "Written by the guide.");
    EXPECT_EQ(document.root().Get("finish_reason").StringOr(""), "stop");
    EXPECT_EQ(document.root().Get("model_used").Get("provider").StringOr(""), "acme");
    const std::vector<RecordedRequest> requests = provider().Requests();
    ASSERT_FALSE(requests.empty());
    EXPECT_EQ(requests.back().Header("authorization"), "Bearer " + std::string(kKey));
    EXPECT_NE(requests.back().body.find("Who wrote you?"), std::string::npos);
    EXPECT_EQ(PluginReport(gateway, "loaded", "acme").root().Get("version").StringOr(""), "1.0.0");
    EXPECT_EQ(service.process->output().find(kKey), std::string::npos);
}

}  // namespace
}  // namespace aim::gateway
