#include "tests/bench/response_reader.hpp"

#include <string>

#include <gtest/gtest.h>

namespace aim::bench {
namespace {

using State = ResponseReader::State;

struct Case {
    const char* name;
    std::string input;
    bool end;
    State state;
    std::string body;
    std::size_t left_over;
};

const Case kCases[] = {
    {"Length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP", false, State::kDone, "abc",
     4},
    {"Empty", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false, State::kDone, "", 0},
    {"Chunked",
     "HTTP/1.1 200 OK\r\ntransfer-encoding: "
     "chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\nX",
     false, State::kDone, "abc0123456789", 1},
    {"Interim", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na", false,
     State::kDone, "a", 0},
    {"UntilClose", "HTTP/1.0 200 OK\r\n\r\nabc", true, State::kDone, "abc", 0},
    {"ShortBody", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", true, State::kBroken, "abc",
     0},
    {"CutChunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", true,
     State::kBroken, "abc", 0},
    {"BadChunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", false,
     State::kBroken, "", 0},
    {"NoHttp", "garbage\r\n\r\n", false, State::kBroken, "", 0},
};

TEST(ResponseReaderTest, ReadsWholeAndByteByByte) {
    for (const Case& item : kCases) {
        for (const std::size_t step : {item.input.size(), std::size_t{1}}) {
            ResponseReader reader;
            std::string body;
            std::size_t taken = 0;
            while (taken < item.input.size() && reader.state() != State::kDone &&
                   reader.state() != State::kBroken)
                taken += reader.Feed(std::string_view(item.input).substr(taken, step), &body);
            if (item.end) reader.End();
            EXPECT_EQ(reader.state(), item.state) << item.name;
            EXPECT_EQ(body, item.body) << item.name;
            EXPECT_EQ(item.input.size() - taken, item.left_over) << item.name;
        }
    }
}

}  // namespace
}  // namespace aim::bench
