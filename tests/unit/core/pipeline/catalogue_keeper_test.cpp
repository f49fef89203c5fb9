#include "core/pipeline/catalogue_keeper.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <stdlib.h>

#include "core/base/time_format.hpp"
#include "tests/unit/core/pipeline/pipeline_fixture.hpp"

namespace aim::pipeline {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

constexpr const char* kId = "01a1fbff-8f94-7fca-a302-1f69bfaabfa0";

// The catalogue with one row; `members` begins with a comma or is empty.
std::string Rows(const std::string& name, int version, const std::string& members = "") {
    return R"([{"id":")" + std::string(kId) + R"(","name":")" + name +
           R"(","provider":"nobody","endpoint":"https://provider.test/v1","upstream_model":"up",)" +
           R"("version":)" + std::to_string(version) + members + "}]";
}

ScriptedAnswer Tagged(std::string body, const std::string& tag) {
    ScriptedAnswer answer = ScriptedAnswer::Ok({std::move(body)});
    answer.headers.emplace_back("ETag", tag);
    return answer;
}

class CatalogueKeeperTest : public PipelineFixture {
  protected:
    CatalogueKeeperTest() {
        std::string name = (fs::temp_directory_path() / "aim-catalogue-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        copy_ = folder_ / "catalogue.json";
    }
    ~CatalogueKeeperTest() override { fs::remove_all(folder_); }

    void TearDown() override {
        if (keeper_) {
            keeper_->Stop();
            EXPECT_TRUE(RunUntil([&] { return !running_; }));
        }
        PipelineFixture::TearDown();
    }

    CatalogueKeeper& keeper(bool with_ciphertext = false) {
        if (!keeper_) {
            CatalogueKeeper::Options options;
            options.refresh = kLong;  // by Wake() only
            options.copy = copy_;
            options.with_ciphertext = with_ciphertext;
            TableBuilder builder(
                {environment_, {}, timeouts_, [](std::function<void()> work) { work(); }}, states_,
                SystemClock(), log_);
            keeper_ = std::make_unique<CatalogueKeeper>(std::move(options), data_api_, plugins_,
                                                        std::move(builder), shared_);
        }
        return *keeper_;
    }

    // One refresh, begun by the start or by waking it, to its end.
    void Refresh() {
        const std::size_t asked = client_.requests().size();
        if (running_) {
            keeper().Wake();
        } else {
            running_ = true;
            boost::asio::co_spawn(loop_, keeper().Run(), [this](std::exception_ptr failure) {
                running_ = false;
                if (failure) std::rethrow_exception(failure);
            });
        }
        EXPECT_TRUE(RunUntil([&] { return client_.requests().size() > asked; }));
        EXPECT_TRUE(RunUntil([&] { return client_.open() == 0; }));
        Settle();
    }

    void WriteCopy(const std::string& text) { std::ofstream(copy_, std::ios::binary) << text; }
    std::string Copy() const {
        std::ifstream file(copy_, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    bool Listed(std::string_view name) const { return tables_.Get()->FindByName(name) != nullptr; }

    fs::path folder_;
    fs::path copy_;
    config::Environment environment_;
    plugin::PluginSetSource plugins_;
    data_client::DataApiClient data_api_{
        client_, timers_, *http::Url::Parse("http://data.test:8001"), SecretString("token")};
    std::unique_ptr<CatalogueKeeper> keeper_;
    bool running_ = false;
};

TEST_F(CatalogueKeeperTest, StartsFromTheCopyOnDisk) {
    WriteCopy(Rows("from-disk", 1));
    keeper().LoadCopy();
    EXPECT_TRUE(Listed("from-disk"));
    EXPECT_TRUE(keeper().status().loaded);
    EXPECT_TRUE(keeper().status().from_copy);
    EXPECT_FALSE(keeper().status().data_api_up);
    EXPECT_EQ(keeper().status().models, 1U);
    client_.Add(Tagged(Rows("fresh", 2), "\"1-2\""));
    Refresh();
    EXPECT_TRUE(Listed("fresh"));
    EXPECT_FALSE(Listed("from-disk"));
    EXPECT_FALSE(keeper().status().from_copy);
}

TEST_F(CatalogueKeeperTest, ACopyThatCannotBeReadIsNone) {
    WriteCopy(R"([{"id":)");
    keeper().LoadCopy();
    EXPECT_FALSE(keeper().status().loaded);
    EXPECT_EQ(log_.Count("catalogue_copy_unreadable"), 1U);
}

TEST_F(CatalogueKeeperTest, KeepsWhatItWasGivenOnDiskForItselfAlone) {
    client_.Add(Tagged(Rows("one", 1), "\"1-1\""));
    Refresh();
    EXPECT_EQ(Copy(), Rows("one", 1));
    EXPECT_EQ(fs::status(copy_).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(CatalogueKeeperTest, AsksByTagAndPublishesNothingAnewForNothingNew) {
    client_.Add(Tagged(Rows("one", 1), "\"1-1\""));
    Refresh();
    EXPECT_EQ(client_.requests()[0].headers.Find("If-None-Match"), "");
    const auto table = tables_.Get();
    client_.Add(Status(304));
    Refresh();
    EXPECT_EQ(client_.requests()[1].headers.Find("If-None-Match"), "\"1-1\"");
    EXPECT_EQ(tables_.Get(), table);
    EXPECT_TRUE(keeper().status().data_api_up);
}

TEST_F(CatalogueKeeperTest, FiguresReachTheStatesWithoutANewTable) {
    client_.Add(Tagged(Rows("one", 1), "\"1-1\""));
    Refresh();
    const auto table = tables_.Get();
    const Uuid id = *Uuid::Parse(kId);
    EXPECT_EQ(states_.Get(id)->last_check.load(), WallTime());
    client_.Add(Tagged(Rows("one", 2,
                            R"(,"total_requests":4,"successful_requests":3,"failed_requests":1,)"
                            R"("timed_requests":4,"response_time_sum_us":400000,)"
                            R"("last_check_at":"2026-11-21T02:46:32.126Z")"),
                       "\"1-2\""));
    Refresh();
    EXPECT_EQ(tables_.Get(), table);
    EXPECT_EQ(states_.Effective(id).total_requests, 4);
    EXPECT_EQ(FormatRfc3339(states_.Get(id)->last_check.load()), "2026-11-21T02:46:32.126Z");
}

TEST_F(CatalogueKeeperTest, TheLastCatalogueStaysWhileTheDataApiIsAway) {
    client_.Add(Tagged(Rows("one", 1), "\"1-1\""));
    Refresh();
    for (int i = 0; i < 2; ++i) {
        client_.Add(Status(503));
        Refresh();
    }
    EXPECT_TRUE(Listed("one"));
    EXPECT_FALSE(keeper().status().data_api_up);
    EXPECT_THAT(keeper().status().problem, HasSubstr("503"));
    EXPECT_EQ(log_.Count("data_api_away"), 1U);
    client_.Add(Status(304));
    Refresh();
    EXPECT_TRUE(keeper().status().data_api_up);
    EXPECT_EQ(keeper().status().problem, "");
    EXPECT_EQ(log_.Count("data_api_back"), 1U);
}

TEST_F(CatalogueKeeperTest, GoesOnWithoutKeysThatAreNotGivenOut) {
    keeper(true);
    client_.Add(Status(403));
    client_.Add(Tagged(Rows("one", 1), "\"1-1\""));
    Refresh();
    EXPECT_TRUE(RunUntil([&] { return Listed("one"); }));
    ASSERT_EQ(client_.requests().size(), 2U);
    EXPECT_THAT(client_.requests()[0].url.target, HasSubstr("ciphertext"));
    EXPECT_THAT(client_.requests()[1].url.target, Not(HasSubstr("ciphertext")));
    EXPECT_EQ(log_.Count("model_keys_refused"), 1U);
}

TEST_F(CatalogueKeeperTest, ARowThatCannotBeReadCostsOnlyItself) {
    std::string rows = Rows("one", 1);
    rows.insert(1, R"({"id":"no id","name":"broken","provider":"x"},)");
    client_.Add(Tagged(rows, "\"2-1\""));
    Refresh();
    EXPECT_TRUE(Listed("one"));
    EXPECT_EQ(keeper().status().models, 1U);
    EXPECT_EQ(log_.Last("catalogue_rows_skipped").fields["rows"], "1");
}

}  // namespace
}  // namespace aim::pipeline
