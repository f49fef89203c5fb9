#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/integration/gateway/gateway_test_base.hpp"

namespace aim::gateway {

// Runs the tasks, so many at once.
void AtOnce(const std::vector<std::function<void()>>& tasks, std::size_t threads = 16);

// What one question came to, asked whole or streamed.
struct Reply {
    HttpAnswer answer;      // of a stream: its head, and the decoded body
    bool finished = false;  // the body ended in order
    std::vector<std::string> events;
    std::string text;   // of a stream: the contents, put together
    bool done = false;  // of a stream: the last event is [DONE]
    std::chrono::milliseconds took{0};

    int status() const { return answer.status; }
    std::string Header(std::string_view name) const { return answer.Header(name); }
    std::string request_id() const { return answer.Header("X-Request-Id"); }
    // The error code in the shape of either protocol; empty when there is none.
    std::string Code() const;
};

// More for a question whose model has no stand-in.
inline constexpr const char* kAlone = R"(,"fallback":false)";

Reply AskWhole(const Service& business, const std::string& target, const std::string& body);
Reply AskStream(const Service& business, const std::string& members);
// {"prompt":…} and the chat of one message; `more` begins with a comma.
Reply AskPrompt(const Service& business, const std::string& model, const std::string& more = "");
Reply AskChat(const Service& business, const std::string& model, const std::string& more = "");
Reply AskChatStream(const Service& business, const std::string& model,
                    const std::string& more = "");

// Figures of a process of ours.
std::size_t OpenFiles(pid_t process);
std::size_t Threads(pid_t process);
std::size_t ResidentKiB(pid_t process);
// The value of a line of /metrics, -1 when it is not there.
double Metric(const Service& service, const std::string& name);

// What GET /api/v1/models says of all models, and of one; empty when it is not there.
std::map<std::string, std::string> States(const Service& business);
std::string StateIn(const Service& business, const std::string& model);

// The gateway's tests, with rows that say more.
class FailuresTest : public GatewayTest {
  protected:
    struct Row {
        std::string name;
        std::string endpoint;
        std::string provider = "groq";
        std::string settings = "{}";
        bool worst = false;  // rated so low that it is chosen only when it is named
    };
    // Inserts all and returns when the shared gateway shows them all as available; throws when it
    // does not in time.
    void AddRows(const std::vector<Row>& rows);
    // Until the gateway shows as many models as available.
    static bool Offers(const Service& business, std::size_t models);

    // A gateway beside the shared one, with only the plugins that these tests need.
    Service Gateway(const std::filesystem::path& state, const Environment& more = {});

    // Waits until nothing waits for the data API any more.
    static void AwaitDelivery(const Service& business);
    // "model:outcome" of the request's outcomes in their order, joined by spaces.
    std::string Outcomes(const std::string& request_id);
};

}  // namespace aim::gateway
