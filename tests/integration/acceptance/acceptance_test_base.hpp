#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/integration/acceptance/installation.hpp"

namespace aim::gateway {

// An outcome as the data API is told it.
struct Stat {
    std::int64_t response_time_ms = 0;
    bool success = true;
};

// The rating of contract.md, from counters: computed here once more, with nothing of the product.
// `time_sum_ms` is over all requests.
double RatingByTheFormula(double total, double successful, double time_sum_ms);

// The points of seed 000 against one installation, which all tests of the executable share. A test
// begins with the seeded models and nothing else, and at its end prints its point and what came of
// it.
class AcceptanceTest : public ::testing::Test {
  protected:
    static void SetUpTestSuite();
    // Stops the installation and expects that nothing is left of it.
    static void TearDownTestSuite();
    void SetUp() override;
    void TearDown() override;

    // To be called first: the number and the words of what the test shows.
    void Point(int number, const char* what);

    static Installation& installation() { return *installation_; }
    // Through nginx.
    HttpTestClient& front() { return *front_; }
    HttpTestClient& data() { return *data_; }
    static HttpHeaders Key() { return {{"X-API-Key", installation().api_key()}}; }

    // A row of Together.ai, which the test plays, and its id; what it is rated is asked of it by
    // prompts only (no probes), after these outcomes. Returns when it is offered with this rating.
    std::string AddModel(const std::string& name, const std::vector<Stat>& stats = {},
                         const std::string& endpoint = installation().endpoint());
    // Adds an outcome; the row afterwards.
    json::Document Tell(const std::string& id, const Stat& stat);
    // What GET /api/v1/models says of the model.
    json::Document Listed(const std::string& name);
    double ListedScore(const std::string& name);
    // A prompt by REST; `members` beside it.
    HttpAnswer Ask(const std::string& prompt, const std::string& members = "");
    static std::size_t RequestsFor(std::string_view model);

  private:
    void RemoveModels();

    static std::unique_ptr<Installation> installation_;

    int number_ = 0;
    const char* what_ = "";
    std::unique_ptr<HttpTestClient> front_;
    std::unique_ptr<HttpTestClient> data_;
};

}  // namespace aim::gateway
