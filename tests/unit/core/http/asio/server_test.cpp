// The server as a whole: ports, loops, drain, stop.
#include <set>
#include <thread>

#include "core/http/asio/listening_socket.hpp"
#include "tests/unit/core/http/asio/server_fixture.hpp"

namespace aim::http {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class ServerTest : public ServerFixture {};

TEST_F(ServerTest, EveryLoopListensOnTheSamePort) {
    StartServer({}, 3);
    std::set<std::string> loops;
    // The kernel spreads connections by a hash of their addresses.
    EXPECT_TRUE(Eventually([&] {
        RawClient client(port());
        loops.insert(client.Ask(GetRequest("/loop")).body);
        return loops.size() == 3;
    }));
}

TEST_F(ServerTest, APortThatIsTakenIsNamed) {
    StartServer();
    EngineLoops loops(1);
    ServerOptions options;
    options.port = port();
    const auto second = Server::Start(
        loops, options, [&](Loop& loop) { return TestRouter(loop, room_); }, nullptr);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message, HasSubstr("127.0.0.1:" + std::to_string(port())));
    EXPECT_THAT(second.error().message, HasSubstr("in use"));
}

TEST_F(ServerTest, AHostThatIsNoneIsNamed) {
    EngineLoops loops(1);
    ServerOptions options;
    options.host = "256.1.1.1";
    const auto server = Server::Start(
        loops, options, [&](Loop& loop) { return TestRouter(loop, room_); }, nullptr);
    ASSERT_FALSE(server);
    EXPECT_THAT(server.error().message, HasSubstr("256.1.1.1:0"));
}

TEST_F(ServerTest, APortIsFreeAgainAfterTheServer) {
    StartServer();
    ServerOptions options;
    options.port = port();
    {
        RawClient client(port());
        EXPECT_EQ(client.Ask(GetRequest("/hello")).body, "hello");
        server_->Stop();
    }
    server_.reset();
    StartServer(options);
    EXPECT_EQ(port(), options.port);
}

TEST_F(ServerTest, DrainAnswersWhatIsUnderWayAndSaysClose) {
    StartServer();
    RawClient waiting(port());
    waiting.Send(GetRequest("/wait"));
    RawClient idle(port());
    EXPECT_EQ(idle.Ask(GetRequest("/hello")).Header("Connection"), "");
    ASSERT_TRUE(Eventually([&] { return room_->waiting == 1; }));
    std::size_t cut = 99;
    std::thread drain([&] { cut = server_->Drain(std::chrono::seconds(30)); });
    // New connections are still accepted, and told to go.
    EXPECT_TRUE(Eventually([&] {
        RawClient late(port());
        return late.Ask(GetRequest("/hello")).Header("Connection") == "close";
    }));
    // Each loop is told by itself.
    EXPECT_TRUE(
        Eventually([&] { return idle.Ask(GetRequest("/hello")).Header("Connection") == "close"; }));
    EXPECT_EQ(room_->returned, 0);
    room_->release = 1;
    const RawResponse response = waiting.Read();
    EXPECT_EQ(response.body, "waited");
    EXPECT_EQ(response.Header("Connection"), "close");
    drain.join();
    EXPECT_EQ(cut, 0u);
    EXPECT_EQ(server_->Totals().connections_open, 0u);
    RawClient after(port());
    EXPECT_FALSE(after.connected());
}

TEST_F(ServerTest, DrainCancelsWhatTakesTooLong) {
    StartServer();
    RawClient client(port());
    client.Send(GetRequest("/wait"));
    ASSERT_TRUE(Eventually([&] { return room_->waiting == 1; }));
    EXPECT_EQ(server_->Drain(milliseconds(50)), 1u);
    EXPECT_EQ(room_->returned, 1);
    EXPECT_EQ(last_reason(), Cancellation::Reason::kShutdown);
    EXPECT_TRUE(client.Closes());
    EXPECT_EQ(server_->Totals().requests_in_flight, 0u);
}

TEST_F(ServerTest, StopEndsStreamsToReadersWhoDoNotRead) {
    StartServer();
    RawClient client(port(), 16 * 1024);
    client.Send(GetRequest("/flood"));
    ASSERT_TRUE(Eventually([&] { return room_->flooded > 0; }));
    server_->Stop();
    EXPECT_EQ(room_->returned, 1);
    EXPECT_EQ(server_->Totals().connections_open, 0u);
}

TEST_F(ServerTest, SurvivesLoopsThatAreStoppedFirst) {
    StartServer();
    RawClient client(port());
    client.Send(GetRequest("/wait"));
    RawClient idle(port());
    EXPECT_EQ(idle.Ask(GetRequest("/hello")).body, "hello");
    ASSERT_TRUE(Eventually([&] { return room_->waiting == 1; }));
    loops_->Stop();
    server_.reset();
    loops_.reset();
    EXPECT_TRUE(idle.Closes());
}

TEST_F(ServerTest, ManyClientsAtOnce) {
    StartServer();
    std::vector<std::thread> clients;
    std::atomic<int> right{0};
    for (int c = 0; c < 8; ++c) {
        clients.emplace_back([&, c] {
            RawClient client(port());
            for (int i = 0; i < 200; ++i) {
                const std::string body = std::to_string(c) + "/" + std::to_string(i);
                if (client.Ask(PostRequest("/echo", body)).body == body) ++right;
                if (i % 10 == 0 && client.Ask(GetRequest("/count?n=20")).complete) ++right;
            }
        });
    }
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(right, 8 * 220);
}

}  // namespace
}  // namespace aim::http
