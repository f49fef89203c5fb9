#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/integration/acceptance/process_tree.hpp"
#include "tests/integration/nginx/nginx_fixture.hpp"
#include "tests/support/fake_telegram/fake_telegram.hpp"

namespace aim::gateway {

// A whole installation, started as its user does it: tools/run.sh with a bot's token, on free ports
// and with files of its own, and in front of it nginx as it is deployed. Every seeded key is the
// word `mock`, so those models are played on this machine; Together.ai and Telegram are played by
// servers of the test. One thread.
class Installation {
  public:
    static constexpr std::chrono::seconds kHealthCheckInterval{8};

    // Returns when run.sh has said that it is ready, and worker, bot and nginx answer. Throws
    // std::runtime_error with what was said instead.
    Installation();
    ~Installation();
    Installation(const Installation&) = delete;
    Installation& operator=(const Installation&) = delete;

    // Ends it as Ctrl-C does. What was wrong with that or is left of it, a sentence each.
    std::vector<std::string> Stop();

    // nginx's port, which users call; the others are asked for their health only, and the data API
    // for what an operator does.
    HttpTestClient Front() const { return nginx_->Client(); }
    HttpTestClient DataApi() const { return HttpTestClient(ports_.data_api); }
    HttpTestClient Worker() const { return HttpTestClient(ports_.worker); }
    HttpTestClient Bot() const { return HttpTestClient(ports_.bot); }
    // From the line that run.sh prints.
    const std::string& api_key() const { return api_key_; }

    aim::testing::FakeProvider& provider() { return provider_; }
    // The endpoint of a row of Together.ai.
    std::string endpoint() const;
    aim::testing::FakeTelegram& telegram() { return telegram_; }

    pid_t pid() const { return run_->pid(); }
    pid_t nginx_pid() const { return nginx_->service().process->pid(); }
    // What run.sh has written down as the number of that process; 0 when there is none.
    pid_t PidOf(const std::string& name) const;
    // The log of one of run.sh's processes, and its lines with that event.
    std::string Log(const std::string& name) const;
    std::vector<json::Document> Events(const std::string& name, std::string_view event) const;

    // Asks PostgreSQL itself; rows as lines, columns separated by '|'.
    std::string Sql(const std::string& sql) const;

  private:
    struct Ports {
        std::uint16_t business_api = 0;
        std::uint16_t data_api = 0;
        std::uint16_t worker = 0;
        std::uint16_t bot = 0;
    };

    bool Start();
    void ForgetRun();
    Environment Variables() const;
    std::string Told() const;

    TemporaryFolder folder_;
    std::filesystem::path state_;
    aim::testing::FakeProvider provider_;
    aim::testing::FakeTelegram telegram_;
    Ports ports_;
    std::unique_ptr<ProcessFixture> run_;
    std::unique_ptr<Nginx> nginx_;
    std::string api_key_;
};

}  // namespace aim::gateway
