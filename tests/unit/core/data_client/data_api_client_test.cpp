#include "core/data_client/data_api_client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "tests/support/scripted_http_client.hpp"

namespace aim::data_client {
namespace {

using std::chrono::milliseconds;

class DataApiClientTest : public ::testing::Test {
  protected:
    template <typename T>
    T Await(Task<T> task) {
        std::optional<T> result;
        auto run = [](Task<T> inner, std::optional<T>& out) -> Task<> {
            out.emplace(co_await std::move(inner));
        };
        boost::asio::co_spawn(loop_, run(std::move(task), result), boost::asio::detached);
        while (!result && loop_.run_one_for(std::chrono::seconds(5)) > 0) {
        }
        return std::move(*result);
    }

    boost::asio::io_context loop_{1};
    TimerQueue timers_{loop_};
    testing::ScriptedHttpClient http_{loop_.get_executor()};
    DataApiClient client_{http_, timers_, *http::Url::Parse("http://data.test:8001"),
                          SecretString()};
};

TEST_F(DataApiClientTest, AsksOnlyForWhatIsNew) {
    testing::ScriptedAnswer answer = testing::ScriptedAnswer::Ok({"[]"});
    answer.headers.emplace_back("ETag", "\"1\"");
    http_.Add(answer);
    testing::ScriptedAnswer same;
    same.status = 304;
    http_.Add(same);
    const auto first = Await(client_.Models("", milliseconds(1000)));
    ASSERT_TRUE(first);
    EXPECT_EQ(first->etag, "\"1\"");
    const auto second = Await(client_.Models("\"1\"", milliseconds(1000)));
    ASSERT_TRUE(second);
    EXPECT_TRUE(second->not_modified);
    EXPECT_EQ(http_.requests()[1].headers.Find("If-None-Match"), "\"1\"");
    EXPECT_FALSE(http_.requests()[0].headers.Has("X-API-Key"));
}

TEST_F(DataApiClientTest, GivesUpOnASilentServer) {
    testing::ScriptedAnswer silent;
    silent.hang_before_head = true;
    http_.Add(silent);
    const auto answer = Await(client_.Get("/x", milliseconds(20)));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::kUpstreamTimeout);
}

TEST_F(DataApiClientTest, TellsARefusalFromAnOutage) {
    testing::ScriptedAnswer refused = testing::ScriptedAnswer::Ok(
        {R"({"error":"bad","error_code":"invalid_request","context":{"field":"name"}})"});
    refused.status = 400;
    http_.Add(refused);
    testing::ScriptedAnswer down = testing::ScriptedAnswer::Ok({"<html>"});
    down.status = 503;
    http_.Add(down);
    const auto first = Await(client_.Get("/x", milliseconds(1000)));
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().kind, ErrorKind::kInvalidRequest);
    EXPECT_EQ(first.error().field, "name");
    const auto second = Await(client_.Get("/x", milliseconds(1000)));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::kOverloaded);
}

TEST_F(DataApiClientTest, ABrokenAnswerIsAProtocolError) {
    http_.Add(testing::ScriptedAnswer::Ok({"not json"}));
    const auto answer = Await(client_.PostLedger("{}", milliseconds(1000)));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::kProtocolError);
}

}  // namespace
}  // namespace aim::data_client
