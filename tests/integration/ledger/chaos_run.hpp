#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/gateway/gateway_test_base.hpp"

namespace aim::gateway {

// How often a fault is repeated: AIM_CHAOS_ROUNDS, else 5.
int ChaosRounds();

// Clients that ask without pause, each prompt with an id of its own, and remember which ids were
// answered in full. They go on through refused and broken connections, towards whatever port is
// set.
class Askers {
  public:
    // Ids begin with `prefix`. Each client rests for `pause` after each answer, so that a long
    // fault leaves no mountain of prompts.
    Askers(std::string prefix, int clients,
           std::chrono::milliseconds pause = std::chrono::milliseconds(0));
    ~Askers() { Stop(); }

    // Where to ask; 0: nowhere, wait.
    void Aim(std::uint16_t port) { port_ = port; }
    // Idempotent.
    void Stop();

    // After Stop().
    const std::vector<std::string>& answered() const { return answered_; }
    std::size_t answered_so_far() const { return count_.load(); }
    // Whether a client of these has sent a prompt with that id.
    bool HasAsked(const std::string& id) const;
    // Statuses other than 200 that came as whole answers.
    const std::set<int>& refusals() const { return refusals_; }
    std::chrono::milliseconds longest_outage() const { return longest_outage_; }

  private:
    void Ask(int client);

    const std::string prefix_;
    const std::chrono::milliseconds pause_;
    std::atomic<std::uint16_t> port_{0};
    std::atomic<bool> stopping_{false};
    std::atomic<std::size_t> count_{0};
    std::vector<int> per_client_;  // each its own, read after Stop()
    std::mutex mutex_;
    std::vector<std::string> answered_;
    std::set<int> refusals_;
    std::chrono::steady_clock::time_point last_answer_ = std::chrono::steady_clock::now();
    std::chrono::milliseconds longest_outage_{0};
    std::vector<std::thread> clients_;
};

// What the database says of one run's prompts.
struct Account {
    std::size_t lost = 0;      // answered, and not in the history
    std::size_t doubled = 0;   // more than once in the history
    std::size_t invented = 0;  // in the history, and never asked
};

// One database, model and state folder for each test, beside the shared stack.
class LedgerTest : public GatewayTest {
  protected:
    void SetUp() override;

    Service DataApi() { return StartDataApi(stack().database, data_port_); }
    // On the test's state folder; returns when it offers the model.
    Service BusinessApi(const Environment& more = {});

    // Waits until nothing waits for the data API any more.
    void AwaitDelivery(const Service& business);
    // Compares, and expects nothing lost, doubled or invented, and the model's counters to be the
    // sum of its outcomes. Prints a line of the table.
    void Settle(const char* fault, int times, const Askers& askers);

    static std::string MetricOf(const Service& service, const std::string& name);

    const TemporaryFolder state_;
    std::uint16_t data_port_ = test::FreePort();
    std::string model_;
    std::string model_id_;
};

}  // namespace aim::gateway
