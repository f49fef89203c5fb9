#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/cancellation.hpp"
#include "core/http/asio/server.hpp"
#include "tests/unit/core/http/asio/raw_client.hpp"

namespace aim::http {

// What the handlers of the test server tell and are told; shared by all loops.
struct HandlerRoom {
    std::atomic<int> waiting{0};      // handlers that have come to /wait
    std::atomic<int> release{0};      // so many of them may go on, in the order in which they came
    std::atomic<int> returned{0};     // handlers of /wait and /flood that have ended
    std::atomic<int> last_reason{0};  // Cancellation::Reason as they ended
    std::atomic<std::uint64_t> flooded{0};  // bytes that /flood has got rid of
    std::atomic<int> echoes{0};
    std::mutex mutex;
    std::vector<std::string> exceptions;
};

// A server on a free port with a handler for each behaviour, made anew for each test.
class ServerFixture : public ::testing::Test {
  protected:
    void StartServer(ServerOptions options = {}, std::size_t loops = 2,
                     std::shared_ptr<const MiddlewareChain> chain = nullptr);
    ~ServerFixture() override;

    std::uint16_t port() const { return server_->port(); }
    Cancellation::Reason last_reason() const {
        return static_cast<Cancellation::Reason>(room_->last_reason.load());
    }

    std::shared_ptr<HandlerRoom> room_ = std::make_shared<HandlerRoom>();
    std::unique_ptr<EngineLoops> loops_;
    std::unique_ptr<Server> server_;
};

// GET /hello /loop /empty /big?bytes, POST /age /echo /v1/echo (plain); GET /wait /count?n /flood
// /throw-later /throw-midway /silent /abort /evil (streams); GET /throw (plain).
std::shared_ptr<const Router> TestRouter(Loop& loop, std::shared_ptr<HandlerRoom> room);

}  // namespace aim::http
