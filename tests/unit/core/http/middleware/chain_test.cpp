#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/http/middleware.hpp"

namespace aim::http {
namespace {

// Writes down when it is asked; `refuses` with 418.
class Recorder final : public Middleware {
  public:
    Recorder(std::string name, bool refuses, std::vector<std::string>& calls)
        : name_(std::move(name)), refuses_(refuses), calls_(calls) {}
    std::optional<Response> Before(Request&, const Route*) override {
        calls_.push_back("before " + name_);
        if (!refuses_) return std::nullopt;
        Response response;
        response.status = 418;
        return response;
    }
    void Refused(Request&) override { calls_.push_back("refused " + name_); }
    void After(const Request&, const Route*, Response&) override {
        calls_.push_back("after " + name_);
    }

  private:
    std::string name_;
    bool refuses_;
    std::vector<std::string>& calls_;
};

MiddlewareChain Chain(std::vector<std::string>& calls, int refusing) {
    MiddlewareChain chain;
    for (int i = 0; i < 3; ++i)
        chain.Add(std::make_unique<Recorder>(std::to_string(i), i == refusing, calls));
    return chain;
}

TEST(MiddlewareChain, GoesInAndComesOutBackwards) {
    std::vector<std::string> calls;
    const MiddlewareChain chain = Chain(calls, -1);
    Request request;
    Response response;
    std::size_t entered = 0;
    EXPECT_FALSE(chain.Before(request, nullptr, entered));
    chain.After(request, nullptr, response, entered);
    EXPECT_THAT(calls, ::testing::ElementsAre("before 0", "before 1", "before 2", "after 2",
                                              "after 1", "after 0"));
}

TEST(MiddlewareChain, WhoRefusesIsTheLastToSeeTheRequest) {
    std::vector<std::string> calls;
    const MiddlewareChain chain = Chain(calls, 1);
    Request request;
    std::size_t entered = 0;
    auto response = chain.Before(request, nullptr, entered);
    ASSERT_TRUE(response);
    chain.After(request, nullptr, *response, entered);
    EXPECT_THAT(calls, ::testing::ElementsAre("before 0", "before 1", "after 1", "after 0"));
}

TEST(MiddlewareChain, TheServersOwnRefusalsPassAll) {
    std::vector<std::string> calls;
    const MiddlewareChain chain = Chain(calls, 1);
    Request request;
    Response response;
    chain.Refused(request);
    chain.After(request, nullptr, response, chain.size());
    EXPECT_THAT(calls, ::testing::ElementsAre("refused 0", "refused 1", "refused 2", "after 2",
                                              "after 1", "after 0"));
}

}  // namespace
}  // namespace aim::http
