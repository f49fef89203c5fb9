#include <atomic>
#include <mutex>
#include <thread>

#include "tests/integration/nginx/nginx_fixture.hpp"

namespace aim::gateway {
namespace {

using std::chrono::seconds;

// New prompts are served for a third of it, then refused.
constexpr const char* kDrainTimeoutMs = "7500";

class RollingRestartTest : public GatewayTest {
  protected:
    Service Start(const TemporaryFolder& state, std::uint16_t port) {
        return StartBusinessApi(state.path(), stack().data_api.port,
                                {{"BUSINESS_API_PORT", std::to_string(port)},
                                 {"DRAIN_TIMEOUT_MS", kDrainTimeoutMs},
                                 {"LOG_LEVEL", "INFO"}});
    }
};

TEST_F(RollingRestartTest, TwoApisAreRestartedUnderLoadAndNoPromptIsLost) {
    AddModel("steady");
    provider().Script("steady", R"({"text":"fine","delay_before_head_ms":20})", true);
    TemporaryFolder states[2];
    Service apis[2] = {Start(states[0], 0), Start(states[1], 0)};
    Nginx nginx({apis[0].port, apis[1].port});

    std::atomic<bool> stop{false};
    std::atomic<int> answered{0};
    std::mutex mutex;
    std::vector<std::string> lost;
    std::vector<std::thread> callers;
    for (int i = 0; i < 6; ++i) {
        callers.emplace_back([&] {
            HttpTestClient client = nginx.Client();
            while (!stop) {
                const HttpAnswer answer =
                    client.Post("/api/v1/prompts",
                                R"({"prompt":"Hi","model":"steady","fallback":false})", Key());
                answered++;
                if (answer.status == 200) continue;
                const std::lock_guard lock(mutex);
                lost.push_back(std::to_string(answer.status) + " " + answer.body);
            }
        });
    }
    const auto serves = [&](const Service& api, std::size_t since) {
        return nginx
                   .LogLines("\"upstream\":\"127.0.0.1:" + std::to_string(api.port) +
                             "\",\"upstream_status\":\"200\"")
                   .size() > since;
    };
    for (int i = 0; i < 2; ++i) {
        EXPECT_TRUE(Eventually([&] { return serves(apis[i], 0); }));
        const std::uint16_t port = apis[i].port;
        EXPECT_EQ(apis[i].process->Terminate(seconds(40)), 0);
        EXPECT_EQ(apis[i].process->output().find("drain_cut"), std::string::npos);
        const std::size_t before =
            nginx
                .LogLines("\"upstream\":\"127.0.0.1:" + std::to_string(port) +
                          "\",\"upstream_status\":\"200\"")
                .size();
        apis[i] = Start(states[i], port);
        EXPECT_TRUE(apis[i].process->WaitForHttp(port, "/ready"));
        EXPECT_TRUE(Eventually([&] { return serves(apis[i], before); }));
    }
    stop = true;
    for (std::thread& caller : callers) caller.join();
    EXPECT_GT(answered, 50);
    EXPECT_TRUE(lost.empty()) << lost.size() << " of " << answered
                              << ", the first: " << lost.front() << "\n"
                              << nginx.Errors();
    for (const Service& api : apis) EXPECT_EQ(api.process->Terminate(seconds(40)), 0);
}

}  // namespace
}  // namespace aim::gateway
