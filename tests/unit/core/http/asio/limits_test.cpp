// Time limits and bounds.
#include <cstdlib>
#include <set>

#include <dirent.h>
#include <fcntl.h>

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
