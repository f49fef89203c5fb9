#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "core/base/random.hpp"
#include "core/base/uuid.hpp"
#include "core/json/json.hpp"
#include "tests/support/http_test_client/http_test_client.hpp"
#include "tests/support/postgres_fixture/postgres_fixture.hpp"
#include "tests/support/process_fixture/process_fixture.hpp"

namespace aim::data_api {

using test::HttpAnswer;
using test::HttpTestClient;
using test::PostgresFixture;
using test::ProcessFixture;
using Environment = std::map<std::string, std::string>;

// The real binary over HTTP, on a database of its own that is migrated and empty.
class DataApiTest : public ::testing::Test {
  protected:
    DataApiTest();

    static PostgresFixture& postgres() { return PostgresFixture::Shared(); }
    static std::string Program() { return std::string(AIM_BINARY_DIR) + "/bin/aimanager-data-api"; }
    Environment BaseEnvironment() const;

    // Starts it and waits until it listens; and until it is ready unless told otherwise.
    void Start(const Environment& more = {}, bool wait_ready = true);
    HttpTestClient NewClient(std::chrono::milliseconds timeout = std::chrono::seconds(20)) const {
        return HttpTestClient(port_, timeout);
    }
    HttpTestClient& client() { return *client_; }

    json::Document Json(const HttpAnswer& answer);
    // Creates a model; returns its id.
    std::string AddModel(const std::string& name, const std::string& more = "");
    json::Document Model(const std::string& id) { return Json(client().Get("/models/" + id)); }
    std::string Sql(const std::string& sql) { return postgres().Query(database_, sql); }

    Uuid NewId();
    static std::string Outcome(const Uuid& id, const std::string& model,
                               const std::string& outcome = "success",
                               const std::string& more = "\"response_time_ms\":100");
    static std::string Batch(const std::vector<std::string>& outcomes,
                             const std::vector<std::string>& history = {});
    // Expects 200 and checks the three figures.
    json::Document Ledger(const std::string& batch, std::int64_t applied, std::int64_t duplicates,
                          std::size_t rejected = 0);
    void ExpectError(const HttpAnswer& answer, int status, const std::string& code,
                     const std::string& field = "");

    std::string database_;
    std::uint16_t port_ = 0;
    std::unique_ptr<ProcessFixture> process_;
    std::unique_ptr<HttpTestClient> client_;
    std::unique_ptr<Random> random_ = MakeRandom();
};

}  // namespace aim::data_api
