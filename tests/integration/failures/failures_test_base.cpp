#include "tests/integration/failures/failures_test_base.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace aim::gateway {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

void AtOnce(const std::vector<std::function<void()>>& tasks, std::size_t threads) {
    std::atomic<std::size_t> next{0};
    std::vector<std::thread> workers;
    for (std::size_t i = 0; i < std::min(threads, tasks.size()); ++i) {
        workers.emplace_back([&] {
            for (std::size_t at; (at = next.fetch_add(1)) < tasks.size();) tasks[at]();
        });
    }
    for (std::thread& worker : workers) worker.join();
}

std::string Reply::Code() const {
    if (answer.status == 200 || answer.body.empty()) return {};
    const json::Document document = Json(answer.body);
    const json::Value error = document.root().Get("error");
    return std::string(error.IsObject() ? error.Get("code").StringOr("")
                                        : document.root().Get("error_code").StringOr(""));
}

Reply AskWhole(const Service& business, const std::string& target, const std::string& body) {
    Reply reply;
    const auto began = Clock::now();
    reply.answer =
        business.Client(seconds(60)).Post(target, body, {{"X-API-Key", std::string(kCallerKey)}});
    reply.took = std::chrono::duration_cast<milliseconds>(Clock::now() - began);
    reply.finished = reply.answer.status != 0;
    return reply;
}

Reply AskStream(const Service& business, const std::string& members) {
    Reply reply;
    const auto began = Clock::now();
    StreamReader stream(business, "/v1/chat/completions", "{\"stream\":true," + members + "}");
    reply.finished = stream.ReadAll();
    reply.took = std::chrono::duration_cast<milliseconds>(Clock::now() - began);
    reply.answer = stream.head();
    reply.answer.body = stream.body();
    if (reply.answer.status != 200) return reply;
    reply.events = stream.Events();
    reply.done = !reply.events.empty() && reply.events.back() == "[DONE]";
    for (const std::string& event : reply.events) {
        if (event == "[DONE]") continue;
        const json::Document chunk = Json(event);
        reply.text += chunk.root().Get("choices").At(0).Get("delta").Get("content").StringOr("");
    }
    return reply;
}

namespace {

std::string ChatMembers(const std::string& model, const std::string& more) {
    return "\"model\":" + Quote(model) + more +
           R"(,"messages":[{"role":"user","content":"Say it"}])";
}

// The number behind `name` in a file of lines like "VmRSS:   123 kB"; 0 when it is not there.
std::size_t StatusLine(pid_t process, std::string_view name) {
    std::ifstream status("/proc/" + std::to_string(process) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(name)) return std::strtoul(line.c_str() + name.size(), nullptr, 10);
    }
    return 0;
}

}  // namespace

Reply AskPrompt(const Service& business, const std::string& model, const std::string& more) {
    return AskWhole(business, "/api/v1/prompts",
                    R"({"prompt":"Say it","model":)" + Quote(model) + more + "}");
}

Reply AskChat(const Service& business, const std::string& model, const std::string& more) {
    return AskWhole(business, "/v1/chat/completions", "{" + ChatMembers(model, more) + "}");
}

Reply AskChatStream(const Service& business, const std::string& model, const std::string& more) {
    return AskStream(business, ChatMembers(model, more));
}

std::size_t OpenFiles(pid_t process) {
    std::error_code ignored;
    std::size_t count = 0;
    for (const auto& entry :
         fs::directory_iterator("/proc/" + std::to_string(process) + "/fd", ignored)) {
        static_cast<void>(entry);
        ++count;
    }
    return count;
}

std::size_t Threads(pid_t process) { return StatusLine(process, "Threads:"); }

std::size_t ResidentKiB(pid_t process) { return StatusLine(process, "VmRSS:"); }

double Metric(const Service& service, const std::string& name) {
    const std::string page = "\n" + service.Client().Get("/metrics").body;
    const std::size_t at = page.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::strtod(page.c_str() + at + name.size() + 2, nullptr);
}

void FailuresTest::AddRows(const std::vector<Row>& rows) {
    std::vector<std::function<void()>> tasks;
    for (const Row& row : rows) {
        tasks.emplace_back([&row] {
            HttpTestClient client = stack().data_api.Client();
            const HttpAnswer answer = client.Post(
                "/api/v1/models",
                "{\"name\":" + Quote(row.name) + ",\"provider\":" + Quote(row.provider) +
                    ",\"endpoint\":" + Quote(row.endpoint) + ",\"settings\":" + row.settings + "}");
            EXPECT_EQ(answer.status, 201) << answer.body;
            if (!row.worst) return;
            const std::string id(Json(answer.body).root().Get("id").StringOr(""));
            EXPECT_EQ(client
                          .Post("/api/v1/models/" + id + "/stats",
                                R"({"response_time_ms":5000,"success":false})")
                          .status,
                      200);
        });
    }
    AtOnce(tasks, 8);
    // A rating comes with a later refresh than its row.
    const bool offered = Eventually(
        [&] {
            std::map<std::string, std::int64_t> requests;
            const json::Document models = Json(business().Get("/api/v1/models").body);
            for (const auto& [key, model] : models.root()) {
                if (model.Get("state").StringOr("") == "available")
                    requests[std::string(model.Get("name").StringOr(""))] =
                        model.Get("total_requests").Int64Or(0);
            }
            return std::all_of(rows.begin(), rows.end(), [&](const Row& row) {
                const auto found = requests.find(row.name);
                return found != requests.end() && (!row.worst || found->second > 0);
            });
        },
        seconds(30));
    if (!offered) throw std::runtime_error(business().Get("/api/v1/models").body);
}

std::map<std::string, std::string> States(const Service& business) {
    std::map<std::string, std::string> states;
    const json::Document models = Json(business.Client().Get("/api/v1/models").body);
    for (const auto& [key, model] : models.root()) {
        states[std::string(model.Get("name").StringOr(""))] =
            std::string(model.Get("state").StringOr(""));
    }
    return states;
}

std::string StateIn(const Service& business, const std::string& model) {
    return States(business)[model];
}

bool FailuresTest::Offers(const Service& business, std::size_t models) {
    return Eventually(
        [&] {
            const auto states = States(business);
            return static_cast<std::size_t>(std::count_if(
                       states.begin(), states.end(),
                       [](const auto& state) { return state.second == "available"; })) == models;
        },
        seconds(30));
}

Service FailuresTest::Gateway(const fs::path& state, const Environment& more) {
    const fs::path plugins = state / "needed";
    fs::create_directories(plugins);
    fs::permissions(plugins, fs::perms(0755));
    for (const char* name : {"groq.so", "mock.so"}) {
        fs::copy_file(fs::path(AIM_BINARY_DIR) / "plugins" / name, plugins / name,
                      fs::copy_options::skip_existing);
        fs::permissions(plugins / name, fs::perms(0644));
    }
    Environment environment = {{"PLUGIN_PATH", plugins.string()}};
    for (const auto& [name, value] : more) environment[name] = value;
    return StartBusinessApi(state, stack().data_api.port, environment);
}

void FailuresTest::AwaitDelivery(const Service& business) {
    EXPECT_TRUE(Eventually([&] { return Metric(business, "aimanager_ledger_queue_records") == 0; },
                           seconds(60)))
        << business.Client().Get("/ready").body;
}

std::string FailuresTest::Outcomes(const std::string& request_id) {
    return Sql(
        "SELECT string_agg(m.name || ':' || o.outcome, ' ' ORDER BY o.id) FROM "
        "request_outcomes o JOIN ai_models m ON m.id = o.model_id WHERE o.request_id = '" +
        request_id + "'");
}

}  // namespace aim::gateway
