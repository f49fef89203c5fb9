#include "tests/integration/ledger/chaos_run.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace aim::gateway {

using std::chrono::milliseconds;

int ChaosRounds() {
    const char* text = std::getenv("AIM_CHAOS_ROUNDS");
    return text == nullptr ? 5 : std::max(1, std::atoi(text));
}

Askers::Askers(std::string prefix, int clients, milliseconds pause)
    : prefix_(std::move(prefix)), pause_(pause), per_client_(static_cast<std::size_t>(clients)) {
    for (int i = 0; i < clients; ++i) clients_.emplace_back([this, i] { Ask(i); });
}

bool Askers::HasAsked(const std::string& id) const {
    if (!id.starts_with(prefix_)) return false;
    int client = 0;
    int number = 0;
    return std::sscanf(id.c_str() + prefix_.size(), "%d-%d", &client, &number) == 2 &&
           static_cast<std::size_t>(client) < per_client_.size() &&
           number < per_client_[static_cast<std::size_t>(client)];
}

void Askers::Stop() {
    stopping_ = true;
    for (std::thread& client : clients_) client.join();
    clients_.clear();
}

void Askers::Ask(int client) {
    std::unique_ptr<HttpTestClient> connection;
    std::uint16_t connected_to = 0;
    for (int n = 0; !stopping_;) {
        if (pause_.count() > 0 && n > 0) std::this_thread::sleep_for(pause_);
        const std::uint16_t port = port_.load();
        if (port == 0) {
            std::this_thread::sleep_for(milliseconds(1));
            continue;
        }
        if (port != connected_to) {
            connection = std::make_unique<HttpTestClient>(port, std::chrono::seconds(20));
            connected_to = port;
        }
        const std::string id = prefix_ + std::to_string(client) + "-" + std::to_string(n++);
        const HttpHeaders headers = {{"X-API-Key", std::string(kCallerKey)}, {"X-Request-Id", id}};
        ++per_client_[static_cast<std::size_t>(client)];
        const HttpAnswer answer =
            connection->Post("/api/v1/prompts", R"({"prompt":"count me"})", headers);
        if (answer.status == 0) {
            std::this_thread::sleep_for(milliseconds(1));
            continue;
        }
        const std::lock_guard lock(mutex_);
        if (answer.status != 200) {
            refusals_.insert(answer.status);
            continue;
        }
        const auto now = std::chrono::steady_clock::now();
        if (!answered_.empty())
            longest_outage_ = std::max(
                longest_outage_, std::chrono::duration_cast<milliseconds>(now - last_answer_));
        last_answer_ = now;
        answered_.push_back(id);
        ++count_;
    }
}

void LedgerTest::SetUp() {
    GatewayTest::SetUp();
    // Its own: histories keep the names of models that are gone.
    model_ = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    model_id_ = AddModel(model_);
}

Service LedgerTest::BusinessApi(const Environment& more) {
    Service business = StartBusinessApi(state_.path(), data_port_, more);
    EXPECT_TRUE(Eventually(
        [&] {
            return business.Client().Get("/api/v1/models").body.find("\"available\"") !=
                   std::string::npos;
        },
        std::chrono::seconds(30)))
        << business.process->output();
    return business;
}

std::string LedgerTest::MetricOf(const Service& service, const std::string& name) {
    const std::string page = "\n" + service.Client().Get("/metrics").body;
    const std::size_t at = page.find("\n" + name + " ");
    if (at == std::string::npos) return {};
    const std::size_t begin = at + name.size() + 2;
    return page.substr(begin, page.find('\n', begin) - begin);
}

void LedgerTest::AwaitDelivery(const Service& business) {
    EXPECT_TRUE(
        Eventually([&] { return MetricOf(business, "aimanager_ledger_queue_records") == "0"; },
                   std::chrono::seconds(60)))
        << business.Client().Get("/ready").body;
}

void LedgerTest::Settle(const char* fault, int times, const Askers& askers) {
    const std::string rows =
        Sql("SELECT request_id, count(*) FROM prompt_history WHERE ai_model_id = '" + model_id_ +
            "' OR model_name = '" + model_ + "' GROUP BY 1");
    std::map<std::string, int> history;
    for (std::size_t at = 0; at < rows.size();) {
        const std::size_t end = std::min(rows.find('\n', at), rows.size());
        const std::string line = rows.substr(at, end - at);
        const std::size_t bar = line.find('|');
        if (bar != std::string::npos)
            history[line.substr(0, bar)] = std::atoi(line.c_str() + bar + 1);
        at = end + 1;
    }
    Account account;
    for (const std::string& id : askers.answered()) account.lost += history.count(id) == 0;
    for (const auto& [id, count] : history) account.doubled += count > 1;
    for (const auto& [id, count] : history) account.invented += !askers.HasAsked(id);
    std::printf("| %s | %d | %zu | %zu | %zu | %zu | %lld ms |\n", fault, times,
                askers.answered().size(), account.lost, account.doubled, account.invented,
                static_cast<long long>(askers.longest_outage().count()));
    EXPECT_GT(askers.answered().size(), static_cast<std::size_t>(times));
    EXPECT_EQ(account.lost, 0u);
    EXPECT_EQ(account.doubled, 0u);
    EXPECT_EQ(account.invented, 0u);
    // Each outcome once, and each answered prompt has one.
    EXPECT_EQ(
        Sql("SELECT count(*) FROM (SELECT request_id FROM request_outcomes WHERE model_id = '" +
            model_id_ + "' GROUP BY 1 HAVING count(*) > 1) d"),
        "0");
    EXPECT_EQ(Sql("SELECT count(*) FROM prompt_history h WHERE status = 'success' AND ai_model_id "
                  "= '" +
                  model_id_ +
                  "' AND NOT EXISTS (SELECT 1 FROM request_outcomes o WHERE o.request_id = "
                  "h.request_id AND o.model_id = h.ai_model_id)"),
              "0");
    // The counters are the sum of the outcomes.
    EXPECT_EQ(Sql("SELECT m.total_requests - count(o.id) FILTER (WHERE o.counts), "
                  "m.successful_requests - count(o.id) FILTER (WHERE o.counts AND o.outcome = "
                  "'success'), m.response_time_sum_us - coalesce(sum(o.response_time_us) FILTER "
                  "(WHERE o.counts), 0) FROM ai_models m LEFT JOIN request_outcomes o ON "
                  "o.model_id = m.id WHERE m.id = '" +
                  model_id_ + "' GROUP BY m.id"),
              "0|0|0");
}

}  // namespace aim::gateway
