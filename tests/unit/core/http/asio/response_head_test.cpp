#include "core/http/asio/response_head.hpp"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"

namespace aim::http {
namespace {

std::string Head(const Response& response, Framing framing,
                 ConnectionHeader connection = ConnectionHeader::kNone) {
    std::string head;
    AppendHead(response, framing, connection, "today", head);
    return head;
}

TEST(ResponseHead, HasLengthOrCoding) {
    const Response response = Response::Text(200, "text/plain", "abc");
    EXPECT_EQ(
        Head(response, Framing::kLength),
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nDate: today\r\n\r\n");
    EXPECT_EQ(Head(response, Framing::kChunked, ConnectionHeader::kClose),
              "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\nDate: "
              "today\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(Head(response, Framing::kUntilClose, ConnectionHeader::kKeepAlive),
              "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: today\r\nConnection: "
              "keep-alive\r\n\r\n");
}

TEST(ResponseHead, LeavesOutWhatIsTheServersAndWhatIsNoName) {
    Response response;
    response.status = 418;
    for (const auto* name :
         {"date", "CONNECTION", "Content-length", "transfer-encoding", "", "X Y", "X:Y", "X\r\nY"})
        response.headers.Add(name, "v");
    EXPECT_EQ(Head(response, Framing::kNone), "HTTP/1.1 418 Unknown\r\nDate: today\r\n\r\n");
}

TEST(ResponseHead, DatesAreHttps) {
    aim::testing::FakeClock clock(WallTime(std::chrono::microseconds(784111777'000000)));
    DateCache date(clock);
    EXPECT_EQ(date.Get(), "Sun, 06 Nov 1994 08:49:37 GMT");
    clock.Advance(std::chrono::milliseconds(999));
    EXPECT_EQ(date.Get(), "Sun, 06 Nov 1994 08:49:37 GMT");
    clock.Advance(std::chrono::milliseconds(1));
    EXPECT_EQ(date.Get(), "Sun, 06 Nov 1994 08:49:38 GMT");
}

}  // namespace
}  // namespace aim::http
