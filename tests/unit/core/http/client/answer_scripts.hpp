// Scripts of a RawServer that more than one suite of the client plays.
#pragma once

#include <string>
#include <utility>

#include "tests/support/raw_server.hpp"

namespace aim::http::client {

using ::aim::testing::RawServer;

inline constexpr const char* kOk =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";

// Answers every request of a connection with the same bytes.
inline RawServer::Script Always(std::string answer) {
    return [answer = std::move(answer)](RawServer::Peer& peer, int) {
        while (!peer.ReadRequest().empty()) peer.Write(answer);
    };
}

inline RawServer::Script Once(std::string answer) {
    return [answer = std::move(answer)](RawServer::Peer& peer, int) {
        peer.ReadRequest();
        peer.Write(answer);
    };
}

}  // namespace aim::http::client
