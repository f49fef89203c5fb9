// A provider for tests: the fake provider's server inside the test's process, on a thread of its
// own.
//
//     FakeProvider provider;
//     provider.Script("m1", R"([{"status":429,"headers":{"retry-after":"2"}},{"text":"Hi"}])");
//     … let the gateway call provider.url() …
//     EXPECT_EQ(provider.Requests().size(), 2u);
//
// Thread-safe. The keys of a step are listed in README.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/fake_provider/request_log.hpp"
#include "tests/support/fake_provider/server.hpp"

namespace aim::testing {

class FakeProvider {
  public:
    FakeProvider() : FakeProvider(ServerOptions()) {}
    // Throws std::runtime_error when it cannot listen or the certificate is unusable.
    explicit FakeProvider(ServerOptions options);

    std::uint16_t port() const { return server_->port(); }
    // The base URL with the API version, as a model row has it: http://127.0.0.1:PORT/openai/v1.
    // With TLS the host can be another name that the certificate has.
    std::string url(std::string_view host = "127.0.0.1") const;

    // Answers of the model from now on: a step or an array of steps. Throws std::invalid_argument
    // on a bad one.
    void Script(std::string_view model, std::string_view steps_json, bool repeat_last = true);
    void ScriptPath(std::string_view path, std::string_view steps_json, bool repeat_last = true);

    std::vector<RecordedRequest> Requests() const { return server_->state().log.Requests(); }
    // False when the time is over before the requests fulfil the condition.
    bool WaitFor(const std::function<bool(const std::vector<RecordedRequest>&)>& condition,
                 std::chrono::milliseconds limit = std::chrono::seconds(10)) const;
    bool WaitForRequests(std::size_t count,
                         std::chrono::milliseconds limit = std::chrono::seconds(10)) const;
    const ServerCounters& Counters() const { return server_->state().counters; }
    // Forgets scripts and requests.
    void Reset() { server_->state().Reset(); }

  private:
    bool tls_ = false;
    std::unique_ptr<Server> server_;
};

}  // namespace aim::testing
