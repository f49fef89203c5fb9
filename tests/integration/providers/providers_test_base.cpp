#include "tests/integration/providers/providers_test_base.hpp"

#include <cstdio>
#include <map>
#include <thread>

namespace aim::gateway {

using std::chrono::seconds;

std::vector<Provider> AllProviders() {
    std::vector<Provider> all(kFamily.begin(), kFamily.end());
    all.insert(all.end(), kNatives.begin(), kNatives.end());
    return all;
}

std::string CanaryOf(const Provider& provider) {
    return "canary-" + std::string(provider.plugin) + "-77f0a1";
}

std::string AuthorizationOf(const Provider& provider) {
    return *provider.variable == '\0' ? "" : provider.prefix + CanaryOf(provider);
}

std::vector<Reply> AtOnce(const std::vector<std::function<Reply()>>& questions) {
    std::vector<Reply> replies(questions.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < questions.size(); ++i)
        threads.emplace_back([&, i] { replies[i] = questions[i](); });
    for (std::thread& thread : threads) thread.join();
    return replies;
}

namespace {

void TakeHead(const HttpAnswer& answer, Reply& reply) {
    reply.status = answer.status;
    reply.model = answer.Header("X-AIManager-Model");
    reply.attempts = answer.Header("X-AIManager-Attempts");
    reply.retry_after = answer.Header("Retry-After");
}

void TakeUsage(const json::Value& usage, Reply& reply) {
    if (!usage.IsObject()) return;
    reply.prompt_tokens = usage.Get("prompt_tokens").Int64Or(-1);
    reply.completion_tokens = usage.Get("completion_tokens").Int64Or(-1);
    reply.total_tokens = usage.Get("total_tokens").Int64Or(-1);
}

}  // namespace

void ProvidersTest::StartGateway(std::span<const Provider> providers, Environment more) {
    keyed_.assign(providers.begin(), providers.end());
    for (const Provider& provider : keyed_)
        if (*provider.variable != '\0') more.try_emplace(provider.variable, CanaryOf(provider));
    more.try_emplace("CLOUDFLARE_ACCOUNT_ID", "acct1");
    state_ = std::make_unique<TemporaryFolder>();
    gateway_ =
        std::make_unique<Service>(StartBusinessApi(state_->path(), stack().data_api.port, more));
}

void ProvidersTest::StopGateway() {
    EXPECT_EQ(gateway_->process->Terminate(), 0);
    for (const Provider& provider : keyed_)
        EXPECT_EQ(gateway_->process->output().find(CanaryOf(provider)), std::string::npos);
    gateway_.reset();
    state_.reset();
}

void ProvidersTest::TearDown() {
    if (!HasFailure() || !gateway_) return;
    const std::string output = gateway_->process->output();
    std::fprintf(stderr, "--- gateway ---\n%s\n",
                 output.substr(output.size() > 6000 ? output.size() - 6000 : 0).c_str());
}

std::string ProvidersTest::Origin(const FakeProvider& provider) {
    const std::string base = provider.url();
    return base.substr(0, base.find("/openai/v1"));
}

std::string ProvidersTest::ModelStates() {
    HttpTestClient client = gateway_->Client();
    return client.Get("/api/v1/models").body;
}

void ProvidersTest::AddRows(const std::vector<Row>& rows, std::string_view state) {
    for (const Row& row : rows) {
        const HttpAnswer answer =
            data().Post("/api/v1/models", "{\"name\":" + Quote(row.name) +
                                              ",\"provider\":" + Quote(row.column) +
                                              ",\"endpoint\":" + Quote(row.endpoint) + "}");
        ASSERT_EQ(answer.status, 201) << answer.body;
        if (!row.worst) continue;
        const std::string id(Json(answer.body).root().Get("id").StringOr(""));
        const HttpAnswer rated = data().Post("/api/v1/models/" + id + "/stats",
                                             R"({"response_time_ms":5000,"success":false})");
        ASSERT_EQ(rated.status, 200) << rated.body;
    }
    // A rating may come with a later refresh than its row.
    ASSERT_TRUE(Eventually(
        [&] {
            std::map<std::string, std::int64_t> offered;
            const json::Document models = Json(ModelStates());
            for (const auto& [key, model] : models.root()) {
                if (model.Get("state").StringOr("") == state)
                    offered[std::string(model.Get("name").StringOr(""))] =
                        model.Get("total_requests").Int64Or(0);
            }
            for (const Row& row : rows) {
                const auto found = offered.find(row.name);
                if (found == offered.end() || (row.worst && found->second == 0)) return false;
            }
            return true;
        },
        seconds(30)))
        << ModelStates();
}

void ProvidersTest::AddRows(std::span<const Provider> providers, const std::string& suffix) {
    std::vector<Row> rows;
    for (const Provider& row : providers)
        rows.push_back({row.plugin + suffix, row.column, Origin(provider()) + row.path});
    AddRows(rows);
}

Reply ProvidersTest::Ask(const std::string& model, const std::string& more) {
    HttpTestClient client = gateway_->Client(seconds(60));
    const HttpAnswer answer =
        client.Post("/v1/chat/completions", "{\"model\":" + Quote(model) + "," + more + "}", Key());
    Reply reply;
    TakeHead(answer, reply);
    reply.body = answer.body;
    if (answer.status != 200) return reply;
    const json::Document document = Json(answer.body);
    const json::Value choice = document.root().Get("choices").At(0);
    reply.text = choice.Get("message").Get("content").StringOr("");
    reply.finish = choice.Get("finish_reason").StringOr("");
    TakeUsage(document.root().Get("usage"), reply);
    reply.done = true;
    return reply;
}

Reply ProvidersTest::AskStreamed(const std::string& model, const std::string& more) {
    StreamReader stream(*gateway_, "/v1/chat/completions",
                        R"({"stream":true,"stream_options":{"include_usage":true},"model":)" +
                            Quote(model) + "," + more + "}");
    Reply reply;
    stream.ReadAll();
    TakeHead(stream.head(), reply);
    reply.body = stream.body();
    for (const std::string& event : stream.Events()) {
        if (event == "[DONE]") {
            reply.done = true;
            continue;
        }
        const json::Document chunk = Json(event);
        const json::Value choice = chunk.root().Get("choices").At(0);
        reply.error = reply.error || chunk.root().Get("error").exists();
        reply.text += choice.Get("delta").Get("content").StringOr("");
        reply.finish += choice.Get("finish_reason").StringOr("");
        TakeUsage(chunk.root().Get("usage"), reply);
    }
    return reply;
}

}  // namespace aim::gateway
