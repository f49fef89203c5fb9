#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/json/json.hpp"
#include "tests/support/fake_provider/fake_provider.hpp"
#include "tests/support/http_test_client/http_test_client.hpp"
#include "tests/support/postgres_fixture/postgres_fixture.hpp"
#include "tests/support/process_fixture/process_fixture.hpp"

namespace aim::gateway {

using aim::testing::FakeProvider;
using aim::testing::RecordedRequest;
using test::HttpAnswer;
using test::HttpHeaders;
using test::HttpTestClient;
using test::ProcessFixture;
using Environment = std::map<std::string, std::string>;

// The provider's key. It may be seen by the provider and by nobody else.
inline constexpr std::string_view kCanary = "canary-gsk-5d1f0c7e9b";
inline constexpr std::string_view kCallerKey = "caller-key-31c2";

json::Document Json(std::string_view text);
std::string Quote(std::string_view text);

// Polls until `condition` holds; false when the time is over first.
bool Eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds limit = std::chrono::seconds(15));

// A folder that goes with the object.
class TemporaryFolder {
  public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

// A running service: the process and the port it told.
struct Service {
    std::unique_ptr<ProcessFixture> process;
    std::uint16_t port = 0;

    HttpTestClient Client(std::chrono::milliseconds timeout = std::chrono::seconds(20)) const {
        return HttpTestClient(port, timeout);
    }
};

// Both start the real binary and wait until it listens. They throw when it does not.
Service StartDataApi(const std::string& database_url, std::uint16_t port = 0,
                     const Environment& more = {});
// `state`: the folder for AIM_STATE_DIR; its plugins/ is made.
Service StartBusinessApi(const std::filesystem::path& state, std::uint16_t data_api_port,
                         const Environment& more = {});

// A model that may be asked; false when there is none for long.
bool Offers(const Service& business);

// An answer that comes in pieces: one connection, the head first, then the decoded body as it
// arrives.
class StreamReader {
  public:
    StreamReader(const Service& service, std::string_view target, std::string_view body);

    // The head; status 0 when there is none in time.
    const HttpAnswer& head() const { return head_; }
    // Reads on until the body contains the text; false when it ends first.
    bool ReadUntil(std::string_view text);
    // Reads to the end. True when the chunked body ended in order.
    bool ReadAll();
    // What was decoded so far.
    const std::string& body() const { return body_; }
    // The payloads of the `data:` lines so far.
    std::vector<std::string> Events() const;
    void Leave() { client_.Close(); }

  private:
    bool Fill();
    void Decode();

    HttpTestClient client_;
    HttpAnswer head_;
    std::string raw_;
    std::string body_;
    bool finished_ = false;
};

// One PostgreSQL, data API, business API and fake provider for all tests of the executable. Every
// test begins with a catalogue without models.
class GatewayTest : public ::testing::Test {
  protected:
    struct Stack {
        Stack();

        FakeProvider provider;
        std::string database;
        TemporaryFolder state;
        Service data_api;
        Service business_api;
    };
    friend class StackEnvironment;

    void SetUp() override;
    void TearDown() override;

    static Stack& stack() { return *stack_; }
    static FakeProvider& provider() { return stack_->provider; }
    HttpTestClient& data() { return *data_; }
    HttpTestClient& business() { return *business_; }

    static HttpHeaders Key() { return {{"X-API-Key", std::string(kCallerKey)}}; }

    // A row of the fake provider, played by groq.so; returns when the business API offers it.
    std::string AddModel(const std::string& name) { return AddModel(name, provider().url()); }
    std::string AddModel(const std::string& name, const std::string& endpoint,
                         const std::string& provider_name = "groq",
                         const std::string& state = "available");
    // What GET /api/v1/models says of it; empty when it is not there.
    std::string StateOf(const std::string& name);

    // {"prompt":…} with the caller's key.
    HttpAnswer Prompt(const std::string& members);
    HttpAnswer Chat(const std::string& members);

    // The data API's history row of that request, once it is delivered.
    json::Document HistoryRow(const std::string& request_id);
    std::string Sql(const std::string& sql) {
        return test::PostgresFixture::Shared().Query(stack().database, sql);
    }
    std::size_t RequestsFor(std::string_view model) const;

    static void ExpectNative(const HttpAnswer& answer, int status, std::string_view code);
    static void ExpectOpenAi(const HttpAnswer& answer, int status, std::string_view code);

  private:
    static std::unique_ptr<Stack> stack_;

    std::unique_ptr<HttpTestClient> data_;
    std::unique_ptr<HttpTestClient> business_;
};

}  // namespace aim::gateway
