#include <fstream>
#include <sstream>

#include "tests/integration/gateway/gateway_test_base.hpp"

namespace aim::gateway {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

std::string FileText(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
}

// Written beside the folder that is watched and moved into it, as an operator should.
class DroppedFile {
  public:
    DroppedFile(const fs::path& state, const std::string& name, const std::string& bytes)
        : file_(state / "plugins" / name) {
        const fs::path scratch = state / name;
        std::ofstream(scratch, std::ios::binary) << bytes;
        fs::permissions(scratch, fs::perms(0644));
        fs::rename(scratch, file_);
    }
    ~DroppedFile() {
        std::error_code ignored;
        fs::remove(file_, ignored);
    }
    DroppedFile(const DroppedFile&) = delete;
    DroppedFile& operator=(const DroppedFile&) = delete;

  private:
    fs::path file_;
};

// One C file, no build system: what a stranger would do.
std::string BuildPlugin(const fs::path& folder, const std::string& version,
                        const std::string& text) {
    const fs::path source = folder / "dropped.c";
    const fs::path library = folder / "dropped.so";
    std::ofstream(source) << "#define GOOD_ID \"dropped\"\n#define GOOD_VERSION \"" << version
                          << "\"\n#define GOOD_TEXT \"" << text << "\"\n"
                          << FileText(AIM_SOURCE_DIR "/tests/bad_plugins/good.c");
    const std::string command = "cc -shared -fPIC -I " AIM_SOURCE_DIR "/abi/include -o " +
                                library.string() + " " + source.string();
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return FileText(library);
}

TEST_F(GatewayTest, APluginDroppedIntoTheFolderAnswersWithoutARestart) {
    const TemporaryFolder folder;
    const std::string first = BuildPlugin(folder.path(), "1.0.0", "from the dropped plugin");
    const std::string second = BuildPlugin(folder.path(), "1.1.0", "from its new version");
    AddModel("before", "", "dropped", "no_plugin");
    const DroppedFile file(stack().state.path(), "dropped.so", first);
    const HttpAnswer row =
        data().Post("/api/v1/models", R"({"name":"dropped-model","provider":"dropped"})");
    ASSERT_EQ(row.status, 201) << row.body;
    const auto answers = [&](const std::string& model, const std::string& text) {
        const HttpAnswer answer =
            Prompt(R"("prompt":"x","fallback":false,"model":)" + Quote(model));
        return answer.status == 200 &&
               Json(answer.body).root().Get("response").StringOr("") == text;
    };
    EXPECT_TRUE(
        Eventually([&] { return answers("dropped-model", "from the dropped plugin"); }, seconds(2)))
        << business().Get("/api/v1/plugins", Key()).body;
    // The row that was there before the plugin comes to life too.
    EXPECT_TRUE(Eventually([&] { return answers("before", "from the dropped plugin"); }));
    // The same path again is a new generation.
    const DroppedFile newer(stack().state.path(), "dropped.so", second);
    EXPECT_TRUE(Eventually([&] { return answers("dropped-model", "from its new version"); }))
        << business().Get("/api/v1/plugins", Key()).body;
}

TEST_F(GatewayTest, FilesThatAreNoPluginsAreRefusedWithAReason) {
    AddModel("working");
    const std::string whole = FileText(AIM_BINARY_DIR "/plugins/groq.so");
    ASSERT_GT(whole.size(), 4096U);
    const DroppedFile text(stack().state.path(), "text.so", "This is no library.\n");
    const DroppedFile half(stack().state.path(), "half.so", whole.substr(0, whole.size() / 2));
    const DroppedFile empty(stack().state.path(), "empty.so", "");
    std::string body;
    const auto reason_of = [](const json::Value& refused, std::string_view name) {
        for (const auto& [key, entry] : refused) {
            if (entry.Get("file").StringOr("").ends_with(name) &&
                !entry.Get("message").StringOr("").empty())
                return std::string(entry.Get("reason").StringOr(""));
        }
        return std::string();
    };
    for (const char* path : {"/ready", "/api/v1/plugins"}) {
        EXPECT_TRUE(Eventually([&] {
            body = business().Get(path, Key()).body;
            const json::Document document = Json(body);
            const json::Value refused =
                path == std::string("/ready")
                    ? document.root().Get("checks").Get("plugins").Get("refused")
                    : document.root().Get("refused");
            return !reason_of(refused, "/text.so").empty() &&
                   !reason_of(refused, "/half.so").empty() &&
                   !reason_of(refused, "/empty.so").empty();
        })) << path
            << " " << body;
    }
    EXPECT_EQ(business().Get("/ready").status, 200);
    EXPECT_EQ(Prompt(R"("prompt":"x","model":"working")").status, 200);
}

}  // namespace
}  // namespace aim::gateway
