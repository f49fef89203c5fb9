// Connections that are kept: reuse, staleness, limits, the queue for them.
#include <algorithm>
#include <array>
#include <atomic>
#include <future>

#include "core/http/client/asio_client.hpp"
#include "tests/unit/core/http/client/answer_scripts.hpp"
#include "tests/unit/core/http/client/loop_fixture.hpp"

namespace aim::http::client {
namespace {

using namespace std::chrono_literals;

class AsioClientPoolTest : public LoopFixture {};

TEST_F(AsioClientPoolTest, AClosedPooledConnectionIsNoticedBeforeItsUse) {
    RawServer server(Once(kOk));
    for (int i = 0; i < 3; ++i) {
        const Answer answer = Fetch(server.Url());
        ASSERT_FALSE(answer.error) << answer.error->message;
        EXPECT_FALSE(answer.reused);
        ASSERT_TRUE(RunUntil([&] { return client_->stats().connections_open.Value() == 0; }))
            << "the loop sees the close by itself";
    }
    EXPECT_EQ(client_->stats().connections_stale.Value(), 0);
}

TEST_F(AsioClientPoolTest, BytesOnAnIdleConnectionCloseIt) {
    std::promise<void> idle;
    RawServer server([&](RawServer::Peer& peer, int) {
        peer.ReadRequest();
        peer.Write(kOk);
        idle.get_future().wait();
        peer.Write("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
        peer.WaitForClose();
    });
    ASSERT_FALSE(Fetch(server.Url()).error);
    EXPECT_EQ(client_->stats().connections_idle.Value(), 1);
    idle.set_value();
    EXPECT_TRUE(RunUntil([&] { return client_->stats().connections_open.Value() == 0; }));
}

// The server closes or resets while the second request is on its way.
TEST_F(AsioClientPoolTest, AStaleConnectionIsTriedAgainOnce) {
    for (const bool reset : {false, true}) {
        RawServer server([&](RawServer::Peer& peer, int connection) {
            peer.ReadRequest();
            peer.Write(kOk);
            if (peer.ReadRequest().empty()) return;
            if (connection == 0 && reset) return peer.Reset();
            if (connection == 0) return;
            peer.Write(kOk);
        });
        MakeClient({}, {}, {});
        ASSERT_FALSE(Fetch(server.Url()).error);
        const Answer second = Fetch(Post(server.Url(), "body"));
        ASSERT_FALSE(second.error) << second.error->message;
        EXPECT_EQ(second.body, "hello");
        EXPECT_FALSE(second.reused);
        EXPECT_EQ(server.connections(), 2);
        EXPECT_EQ(client_->stats().connections_stale.Value(), 1);
    }
}

TEST_F(AsioClientPoolTest, ARequestIsNotSentAThirdTime) {
    RawServer server([&](RawServer::Peer& peer, int connection) {
        peer.ReadRequest();
        if (connection > 0) return;
        peer.Write(kOk);
        peer.ReadRequest();
    });
    ASSERT_FALSE(Fetch(server.Url()).error);
    const Answer second = Fetch(server.Url());
    ASSERT_TRUE(second.error);
    EXPECT_EQ(second.error->code, "reset");
    EXPECT_EQ(server.connections(), 2);
}

TEST_F(AsioClientPoolTest, ARequestThatWasBeingAnsweredIsNotSentAgain) {
    RawServer server([&](RawServer::Peer& peer, int) {
        peer.ReadRequest();
        peer.Write(kOk);
        peer.ReadRequest();
        peer.Write("H");
    });
    ASSERT_FALSE(Fetch(server.Url()).error);
    const Answer second = Fetch(server.Url());
    ASSERT_TRUE(second.error);
    EXPECT_EQ(second.error->code, "reset");
    EXPECT_TRUE(RunUntil([&] { return server.finished() == 1; }));
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(AsioClientPoolTest, ARequestOnWhichTheServerMayHaveWorkedIsNotSentAgain) {
    ClientOptions options;
    options.resend_window = 0ms;
    MakeClient(options, {}, {});
    RawServer server([&](RawServer::Peer& peer, int) {
        peer.ReadRequest();
        peer.Write(kOk);
        peer.ReadRequest();
    });
    ASSERT_FALSE(Fetch(server.Url()).error);
    EXPECT_TRUE(Fetch(server.Url()).error);
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(AsioClientPoolTest, OldAndIdleConnectionsAreClosed) {
    RawServer server(Always(kOk));
    ClientOptions options;
    options.pool.connection_age = 0ms;
    MakeClient(options, {}, {});
    for (int i = 0; i < 2; ++i) EXPECT_FALSE(Fetch(server.Url()).reused);
    EXPECT_EQ(client_->stats().connections_open.Value(), 0);

    options.pool.connection_age = 1h;
    options.pool.idle_age = 20ms;
    MakeClient(options, {}, {});
    EXPECT_FALSE(Fetch(server.Url()).error);
    EXPECT_EQ(client_->stats().connections_idle.Value(), 1);
    EXPECT_TRUE(RunUntil([&] { return client_->stats().connections_open.Value() == 0; }));
}

TEST_F(AsioClientPoolTest, KeepsNoMoreIdleConnectionsThanTheLimit) {
    std::atomic<int> asked{0};
    std::promise<void> all_asked;
    const auto all = all_asked.get_future().share();
    RawServer server([&](RawServer::Peer& peer, int) {
        peer.ReadRequest();
        if (++asked == 4) all_asked.set_value();
        all.wait();
        peer.Write(kOk);
        peer.WaitForClose();
    });
    ClientOptions options;
    options.pool.idle_per_origin = 2;
    MakeClient(options, {}, {});
    Cancellation cancellation;
    std::array<std::optional<Answer>, 4> answers;
    for (auto& answer : answers) Start(Fetch(Get(server.Url()), {}, cancellation), answer);
    ASSERT_TRUE(RunUntil([&] {
        return std::all_of(answers.begin(), answers.end(),
                           [](const auto& a) { return a.has_value(); });
    }));
    EXPECT_EQ(client_->stats().connections_idle.Value(), 2);
    EXPECT_EQ(client_->stats().connections_open.Value(), 2);
}

TEST_F(AsioClientPoolTest, ExchangesQueueForAConnectionInTheirOrder) {
    RawServer server(Always(kOk));
    ClientOptions options;
    options.pool.connections_per_origin = 1;
    MakeClient(options, {}, {});
    Cancellation cancellation;
    std::array<std::optional<Answer>, 8> answers;
    for (auto& answer : answers) Start(Fetch(Get(server.Url()), {}, cancellation), answer);
    ASSERT_TRUE(RunUntil([&] {
        return std::all_of(answers.begin(), answers.end(),
                           [](const auto& a) { return a.has_value(); });
    }));
    for (const auto& answer : answers) EXPECT_FALSE(answer->error) << answer->error->message;
    EXPECT_EQ(server.connections(), 1);
    EXPECT_EQ(client_->stats().pool_waits.Value(), 7);
    EXPECT_EQ(client_->stats().waiting.Value(), 0);
}

TEST_F(AsioClientPoolTest, AFullPoolRefusesAfterTheConnectLimitAndAFullQueueAtOnce) {
    RawServer server([](RawServer::Peer& peer, int) { peer.WaitForClose(); });
    ClientOptions options;
    options.pool.connections_per_origin = 1;
    options.pool.waiters_per_origin = 1;
    MakeClient(options, {}, {});
    Cancellation cancellation;
    ExchangeLimits limits;
    limits.connect = 40ms;
    std::array<std::optional<Answer>, 3> answers;
    for (auto& answer : answers) Start(Fetch(Get(server.Url()), limits, cancellation), answer);
    ASSERT_TRUE(RunUntil([&] { return answers[1] && answers[2]; }));
    for (const int i : {1, 2}) {
        ASSERT_TRUE(answers[i]->error);
        EXPECT_EQ(answers[i]->error->kind, ErrorKind::kOverloaded);
        EXPECT_EQ(answers[i]->error->code, "pool_exhausted");
    }
    EXPECT_EQ(client_->stats().pool_refusals.Value(), 2);
    cancellation.Cancel(Cancellation::Reason::kShutdown);
    ASSERT_TRUE(RunUntil([&] { return answers[0].has_value(); }));
    EXPECT_EQ(answers[0]->error->kind, ErrorKind::kCancelled);
}

// What is granted while its waiter is being cancelled goes to the next one.
TEST_F(AsioClientPoolTest, ACancelledWaiterKeepsNoPlace) {
    std::promise<void> go;
    RawServer server([&](RawServer::Peer& peer, int connection) {
        peer.ReadRequest();
        if (connection == 0) go.get_future().wait();
        peer.Write(kOk);
        while (!peer.ReadRequest().empty()) peer.Write(kOk);
    });
    ClientOptions options;
    options.pool.connections_per_origin = 1;
    MakeClient(options, {}, {});
    Cancellation stay;
    Cancellation leave;
    std::optional<Answer> first;
    std::optional<Answer> second;
    std::optional<Answer> third;
    Start(Fetch(Get(server.Url()), {}, leave), first);
    Start(Fetch(Get(server.Url()), {}, leave), second);
    Start(Fetch(Get(server.Url()), {}, stay), third);
    ASSERT_TRUE(RunUntil(
        [&] { return client_->stats().waiting.Value() == 2 && server.connections() == 1; }));
    leave.Cancel(Cancellation::Reason::kClientLeft);
    go.set_value();
    ASSERT_TRUE(RunUntil([&] { return first && second && third; }));
    EXPECT_EQ(first->error->kind, ErrorKind::kCancelled);
    EXPECT_EQ(second->error->kind, ErrorKind::kCancelled);
    EXPECT_FALSE(third->error);
}

// The system may have connected before the loop hears of the cancellation.
TEST_F(AsioClientPoolTest, AConnectThatSucceedsAfterItsCancellationIsForgotten) {
    // On a busy machine the answer may be there before the cancellation: it leaves nothing, either.
    RawServer server(Always("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"));
    for (int turns = 0; turns < 6; ++turns) {
        Cancellation cancellation;
        std::optional<Answer> answer;
        Start(Fetch(Get(server.Url()), {}, cancellation), answer);
        loop_.restart();
        for (int i = 0; i < turns; ++i) loop_.poll_one();
        cancellation.Cancel(Cancellation::Reason::kClientLeft);
        ASSERT_TRUE(RunUntil([&] { return answer.has_value(); }));
        ASSERT_TRUE(RunUntil([&] { return server.finished() == server.connections(); }));
    }
    EXPECT_FALSE(Fetch(server.Url()).error);
}

}  // namespace
}  // namespace aim::http::client
