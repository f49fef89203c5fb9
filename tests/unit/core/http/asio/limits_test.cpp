// Time limits and bounds.
#include <cstdlib>
#include <set>

#include <dirent.h>
#include <fcntl.h>

#include "tests/support/allocated_bytes.hpp"
#include "tests/unit/core/http/asio/server_fixture.hpp"

namespace aim::http {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class LimitsTest : public ServerFixture {};

TEST_F(LimitsTest, AnIdleConnectionIsClosedWithoutAWord) {
    ServerOptions options;
    options.idle_timeout = milliseconds(50);
    StartServer(options);
    RawClient fresh(port());
    EXPECT_EQ(fresh.ReadSome(1), "");
    RawClient used(port());
    EXPECT_EQ(used.Ask(GetRequest("/hello")).body, "hello");
    EXPECT_EQ(used.ReadSome(1), "");
    EXPECT_EQ(server_->Totals().idle_closed, 2u);
}

TEST_F(LimitsTest, AHeadThatDoesNotComeIsGivenUp) {
    ServerOptions options;
    options.head_timeout = milliseconds(50);
    StartServer(options);
    RawClient client(port());
    const RawResponse response = client.Ask("GET /hello HTTP/1.1\r\nHos");
    EXPECT_EQ(response.status, 408);
    EXPECT_THAT(response.body, HasSubstr("request_timeout"));
    EXPECT_EQ(response.Header("Connection"), "close");
}

TEST_F(LimitsTest, TricklingDoesNotProlongAHead) {
    ServerOptions options;
    options.head_timeout = milliseconds(100);
    StartServer(options);
    RawClient client(port());
    client.Send("GET /hello HTTP/1.1\r\n");
    RawResponse response;
    ASSERT_TRUE(Eventually(
        [&] { return !client.Send("X: y\r\n") || server_->Totals().requests_refused == 1; }));
    EXPECT_EQ(client.Read().status, 408);
}

TEST_F(LimitsTest, ABodyThatStallsIsGivenUp) {
    ServerOptions options;
    options.body_stall = milliseconds(50);
    StartServer(options);
    RawClient client(port());
    const RawResponse response =
        client.Ask("POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    EXPECT_EQ(response.status, 408);
    EXPECT_THAT(response.body, HasSubstr(R"("code":"request_timeout")"));
    EXPECT_EQ(room_->echoes, 0);
}

TEST_F(LimitsTest, ABodyThatTricklesIsGivenUp) {
    ServerOptions options;
    options.body_timeout = milliseconds(100);
    StartServer(options);
    RawClient client(port());
    client.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    ASSERT_TRUE(
        Eventually([&] { return !client.Send("x") || server_->Totals().requests_refused == 1; }));
    EXPECT_EQ(client.Read().status, 408);
}

TEST_F(LimitsTest, LargeBodiesBeyondTheirBoundGet503AndSmallOnesAreServed) {
    ServerOptions options;
    options.bodies_bytes = 300'000;
    StartServer(options);
    const std::string large(200'000, 'l');
    RawClient holder(port());
    holder.Send(PostRequest("/wait", large));
    ASSERT_TRUE(Eventually([&] { return room_->waiting == 1; }));
    EXPECT_EQ(server_->Totals().bodies_bytes, large.size());
    for (int i = 0; i < 3; ++i) {
        RawClient refused(port());
        const RawResponse response = refused.Ask(PostRequest("/v1/echo", large));
        EXPECT_EQ(response.status, 503);
        EXPECT_THAT(response.body, HasSubstr(R"("code":"overloaded")"));
        EXPECT_EQ(response.Header("Retry-After"), "1");
        EXPECT_EQ(response.Header("Connection"), "close");
    }
    RawClient other(port());
    EXPECT_EQ(other.Ask(PostRequest("/echo", std::string(60'000, 's'))).status, 200);
    ASSERT_TRUE(Eventually([&] { return server_->Totals().bodies_bytes == large.size(); }));
    EXPECT_EQ(server_->Totals().requests_refused, 3u);
    room_->release = 1;
    EXPECT_EQ(holder.Read().body, "waited");
    ASSERT_TRUE(Eventually([&] { return server_->Totals().bodies_bytes == 0; }));
    EXPECT_EQ(other.Ask(PostRequest("/echo", large)).body, large);
    EXPECT_EQ(room_->echoes, 2);
}

TEST_F(LimitsTest, ABodyTakesRoomAsItComesAndGivesItBackWhenItsClientLeaves) {
    ServerOptions options;
    options.bodies_bytes = 300'000;
    StartServer(options);
    RawClient slow(port());
    slow.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 290000\r\n\r\n");
    slow.Send(std::string(100'000, 's'));
    ASSERT_TRUE(Eventually([&] { return server_->Totals().bodies_bytes == 100'000; }));
    RawClient chunked(port());
    const RawResponse echoed = chunked.Ask(
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n24A00\r\n" +
        std::string(150'016, 'c') + "\r\n0\r\n\r\n");
    EXPECT_EQ(echoed.body.size(), 150'016u);
    slow.Close();
    EXPECT_TRUE(Eventually([&] { return server_->Totals().bodies_bytes == 0; }));
}

// An answer may take minutes; what the prompt came through is not held for as long.
TEST_F(LimitsTest, AnExchangeUnderWayHoldsNoInputBuffer) {
    constexpr std::size_t kExchanges = 32;
    StartServer();
    std::vector<std::unique_ptr<RawClient>> clients;
    const auto wait = [&](std::string_view body) {
        clients.push_back(std::make_unique<RawClient>(port()));
        clients.back()->Send(PostRequest("/wait", body));
        return Eventually([&] { return room_->waiting == static_cast<int>(clients.size()); });
    };
    ASSERT_TRUE(wait("warm"));
    const std::size_t before = testing::AllocatedBytes();
    const std::string prompt(60'000, 'p');
    for (std::size_t i = 0; i < kExchanges; ++i) ASSERT_TRUE(wait(prompt));
    EXPECT_LT(testing::AllocatedBytes(), before + kExchanges * 16 * 1024);
    room_->release = static_cast<int>(clients.size());
    for (const auto& client : clients) EXPECT_EQ(client->Read().body, "waited");
}

TEST_F(LimitsTest, AHandlerMayTakeLongerThanEveryLimit) {
    ServerOptions options;
    options.idle_timeout = options.head_timeout = options.body_stall = options.body_timeout =
        options.write_stall = milliseconds(30);
    StartServer(options);
    RawClient client(port());
    client.Send(PostRequest("/wait", "x"));
    ASSERT_TRUE(Eventually([&] { return room_->waiting == 1; }));
    // Several times the limits, measured on another connection's idle limit.
    for (int i = 0; i < 4; ++i) {
        RawClient other(port());
        EXPECT_TRUE(other.Closes());
    }
    EXPECT_EQ(room_->returned, 0);
    room_->release = 1;
    EXPECT_EQ(client.Read().body, "waited");
}

TEST_F(LimitsTest, ConnectionsBeyondTheLimitAreClosedAtOnce) {
    ServerOptions options;
    options.max_connections = 2;
    StartServer(options);
    RawClient first(port());
    RawClient second(port());
    EXPECT_EQ(first.Ask(GetRequest("/hello")).body, "hello");
    EXPECT_EQ(second.Ask(GetRequest("/hello")).body, "hello");
    RawClient third(port());
    EXPECT_TRUE(third.Closes());
    EXPECT_EQ(server_->Totals().connections_refused, 1u);
    first.Close();
    ASSERT_TRUE(Eventually([&] { return server_->Totals().connections_open == 1; }));
    RawClient fourth(port());
    EXPECT_EQ(fourth.Ask(GetRequest("/hello")).body, "hello");
}

std::set<int> OpenDescriptors() {
    DIR* folder = ::opendir("/proc/self/fd");
    std::set<int> descriptors;
    while (const dirent* entry = ::readdir(folder)) {
        const int descriptor = std::atoi(entry->d_name);
        if (entry->d_name[0] != '.' && descriptor != ::dirfd(folder))
            descriptors.insert(descriptor);
    }
    ::closedir(folder);
    return descriptors;
}

TEST_F(LimitsTest, AThousandConnectionsLeaveNothingBehind) {
    StartServer();
    {
        RawClient warm(port());
        warm.Ask(GetRequest("/hello"));
    }
    ASSERT_TRUE(Eventually([&] { return server_->Totals().connections_open == 0; }));
    const std::size_t before = OpenDescriptors().size();
    for (int i = 0; i < 1000; ++i) {
        RawClient client(port());
        ASSERT_TRUE(client.connected());
        switch (i % 5) {
            case 0:
                break;
            case 1:
                client.Send("GET /hel");
                break;
            case 2:
                client.Ask(GetRequest("/hello"));
                break;
            case 3:
                client.Send(GetRequest("/wait"));
                break;
            case 4:
                client.Send(GetRequest("/flood"));
                client.Reset();
                break;
        }
    }
    EXPECT_TRUE(Eventually([&] { return server_->Totals().connections_accepted == 1001; }));
    EXPECT_TRUE(Eventually([&] { return server_->Totals().connections_open == 0; }));
    EXPECT_TRUE(Eventually([&] { return OpenDescriptors().size() == before; }))
        << before << " then " << OpenDescriptors().size();
    EXPECT_EQ(server_->Totals().requests_in_flight, 0u);
}

TEST_F(LimitsTest, SocketsAreNotInheritedByChildren) {
    const std::set<int> before = OpenDescriptors();
    StartServer();
    RawClient client(port());
    EXPECT_EQ(client.Ask(GetRequest("/hello")).body, "hello");
    int seen = 0;
    for (const int descriptor : OpenDescriptors()) {
        if (before.contains(descriptor)) continue;
        ++seen;
        EXPECT_NE(::fcntl(descriptor, F_GETFD) & FD_CLOEXEC, 0) << descriptor;
    }
    EXPECT_GE(seen, 4) << "two listening sockets and both ends of a connection at least";
}

}  // namespace
}  // namespace aim::http
