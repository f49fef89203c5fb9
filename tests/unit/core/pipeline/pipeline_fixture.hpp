#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "core/json/json.hpp"
#include "core/pipeline/completion_service.hpp"
#include "core/pipeline/plugin_target.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/scripted_http_client.hpp"
#include "tests/support/scripted_plugin.hpp"

namespace aim::pipeline {

using aim::testing::ScriptedAnswer;

// A body of server-sent events, one Read() each.
inline ScriptedAnswer Events(const std::vector<std::string>& events) {
    std::vector<std::string> body;
    for (const std::string& event : events) body.push_back("data: " + event + "\n\n");
    return ScriptedAnswer::Ok(std::move(body), "text/event-stream");
}

inline ScriptedAnswer Status(int status) {
    ScriptedAnswer answer;
    answer.status = status;
    return answer;
}

// What a client would have got. Can be told to be gone from a write on.
class FakeWriter final : public http::ResponseWriter {
  public:
    Task<bool> Send(http::Response response) override {
        head = std::move(response);
        co_return true;
    }
    Task<bool> Start(http::Response response) override {
        head = std::move(response);
        ++starts;
        co_return !Gone();
    }
    Task<bool> Write(std::string_view piece) override {
        if (Gone()) co_return false;
        body.append(piece);
        ++writes;
        co_return true;
    }
    Task<bool> Finish() override {
        finished = true;
        co_return true;
    }
    void Abort() override { aborted = true; }
    bool started() const override { return starts > 0; }

    http::Response head;
    std::string body;
    int starts = 0;
    int writes = 0;
    bool finished = false;
    bool aborted = false;
    // The client takes so many writes and then leaves; `on_leave` is called once.
    int leaves_after = -1;
    std::function<void()> on_leave;

  private:
    bool Gone() {
        if (leaves_after < 0 || writes < leaves_after) return false;
        if (on_leave) std::exchange(on_leave, nullptr)();
        return true;
    }
};

// Text as it comes, "|" between batches.
class PlainFormat final : public StreamFormat {
  public:
    void Begin(const routing::Candidate& candidate) override { model_ = candidate.row->name; }
    void AppendBatch(const completion::DeltaBatch& batch, std::string& out) override {
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (batch[i].kind == completion::DeltaKind::kText) out.append(batch[i].text);
        }
        out.append("|");
    }
    void AppendEnd(const completion::Usage&, std::string& out) override { out.append("END"); }
    void AppendError(const Error& error, std::string& out) override {
        out.append("ERROR " + error.message);
    }

  private:
    std::string model_;
};

// One loop with a completion service whose models are all played by one scripted plugin over a
// client without a network. Time is the real one, but nothing waits for it: timers that shall fire
// are a millisecond long, and those that shall not are an hour.
class PipelineFixture : public ::testing::Test {
  protected:
    PipelineFixture() {
        settings_.longest_wait = std::chrono::milliseconds(0);
        settings_.request_timeout = kLong;
        settings_.stream_comment = kLong;
        timeouts_.connect = timeouts_.first_content = timeouts_.between_content = kLong;
        timeouts_.attempt = kLong;
    }

    void TearDown() override {
        service_.reset();
        timers_.Stop();
        loop_.restart();
        loop_.run_for(std::chrono::seconds(1));
        EXPECT_EQ(client_.open(), 0);
        EXPECT_EQ(shared_.in_flight.load(), 0);
        EXPECT_EQ(shared_.drains.inside(), 0U);
    }

    // The higher, the better it is rated.
    void AddModel(const std::string& name, int successes = 0) {
        auto row = std::make_shared<completion::ModelRecord>();
        row->id = Uuid::MakeV7(SystemClock().WallNow(), *random_);
        row->name = row->upstream_model = name;
        row->provider = "scripted";
        plugin::Generation::Facts facts;
        auto target = std::make_shared<PluginTarget>();
        target->generation = std::make_shared<const plugin::Generation>(std::move(facts));
        auto provider = plugin::ChatProvider::Create(
            nullptr, plugin_.table(), plugin_.address(),
            [](std::string_view) { return std::nullopt; }, SystemClock(), nullptr, nullptr);
        ASSERT_TRUE(provider);
        target->provider = *provider;
        target->model_json = "\"" + name + "\"";
        std::map<std::string, CandidateSlots::Slot, std::less<>> slots;
        slots["KEY"] = {SecretString("canary-key-1"), false, true};
        target->slots = std::make_unique<CandidateSlots>(
            std::move(slots),
            http::client::HostPolicy(std::vector<std::string>{"provider.test"}, {}));
        routing::Candidate candidate;
        candidate.row = row;
        candidate.state = states_.Get(row->id);
        candidate.availability = routing::Availability::kAvailable;
        candidate.has_real_secret = true;
        candidate.timeouts = timeouts_;
        candidate.target = target;
        candidates_.push_back(std::move(candidate));
        // A model without outcomes has 100, so the others are given slow ones.
        if (successes > 0) states_.AddOutcome(row->id, true, std::chrono::seconds(10) / successes);
    }

    CompletionService& service() {
        if (!service_) {
            tables_.Publish(std::make_shared<const routing::RoutingTable>(candidates_));
            service_ = std::make_unique<CompletionService>(shared_, client_, timers_);
        }
        return *service_;
    }

    static completion::ChatRequest Request(bool stream = false) {
        completion::ChatRequest request;
        request.members = "\"messages\":[]";
        request.messages.emplace_back().role = completion::Role::kUser;
        request.messages.back().text = "What is it?";
        request.stream = stream;
        request.user_id = "anna";
        return request;
    }

    // A prompt under way; the caller can leave.
    struct Running {
        completion::ChatRequest request;
        Cancellation cancellation;
        std::unique_ptr<StreamRelay> relay;
        std::optional<CompletionResult> result;
    };
    std::unique_ptr<Running> Start(completion::ChatRequest request, FakeWriter* writer = nullptr) {
        auto running = std::make_unique<Running>();
        running->request = std::move(request);
        if (writer != nullptr) {
            running->relay = std::make_unique<StreamRelay>(
                *writer, std::make_unique<PlainFormat>(), timers_, settings_, loop_.get_executor());
            writer->on_leave = [raw = running.get()] {
                raw->cancellation.Cancel(Cancellation::Reason::kClientLeft);
            };
        }
        boost::asio::co_spawn(loop_, Work(*running), [](std::exception_ptr failure) {
            if (failure) std::rethrow_exception(failure);
        });
        return running;
    }

    CompletionResult Run(completion::ChatRequest request, FakeWriter* writer = nullptr) {
        const auto running = Start(std::move(request), writer);
        EXPECT_TRUE(RunUntil([&] { return running->result.has_value(); }));
        if (running->relay) Await(running->relay->Close());
        return running->result ? std::move(*running->result) : CompletionResult();
    }

    void Await(Task<> task) {
        bool done = false;
        boost::asio::co_spawn(loop_, std::move(task), [&done](std::exception_ptr failure) {
            if (failure) std::rethrow_exception(failure);
            done = true;
        });
        EXPECT_TRUE(RunUntil([&] { return done; }));
    }

    bool RunUntil(const std::function<bool()>& condition) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!condition()) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            loop_.restart();
            loop_.run_one_for(std::chrono::milliseconds(2));
        }
        return true;
    }
    // Everything that can happen now has happened.
    void Settle() {
        loop_.restart();
        loop_.poll();
    }

    // The ledger's newest records.
    struct Written {
        std::vector<json::Document> outcomes;
        std::vector<json::Document> history;
    };
    Written Ledger() {
        Written written;
        for (const ledger::Journal::Entry& entry : ledger_.Take(1000, 1u << 30)) {
            const ledger::Record& record = entry.record;
            auto document = json::Parse(record.json);
            EXPECT_TRUE(document) << record.json;
            if (!document) continue;
            (record.kind == ledger::Record::Kind::kOutcome ? written.outcomes : written.history)
                .push_back(std::move(*document));
        }
        return written;
    }
    static std::string Field(const json::Document& document, std::string_view name) {
        return std::string(document.root().Get(name).StringOr(""));
    }
    bool MetricsHave(const std::string& line) const {
        return metrics_.RenderText().find(line + "\n") != std::string::npos;
    }

    static ledger::JournalOptions InMemory() {
        ledger::JournalOptions options;
        options.max_bytes = 1u << 20;
        return options;
    }

    static constexpr std::chrono::milliseconds kLong{3'600'000};
    static constexpr std::chrono::milliseconds kSoon{1};

    boost::asio::io_context loop_{1};
    TimerQueue timers_{loop_};
    Settings settings_;
    routing::AttemptTimeouts timeouts_;
    aim::testing::ScriptedPlugin plugin_;
    aim::testing::ScriptedHttpClient client_{loop_.get_executor()};
    aim::testing::LogCapture log_;
    telemetry::Metrics metrics_;
    PipelineMetrics pipeline_metrics_{metrics_};
    routing::ModelStates states_;
    RoutingTableSource tables_;
    ledger::Journal ledger_{InMemory(), log_};
    PipelineShared shared_{settings_, SystemClock(),     states_, tables_,
                           ledger_,   pipeline_metrics_, log_};
    std::unique_ptr<Random> random_ = MakeSeededRandom(7);
    std::vector<routing::Candidate> candidates_;
    std::unique_ptr<CompletionService> service_;

  private:
    Task<> Work(Running& running) {
        const Caller caller{"request-1", "key-1", SystemClock().Now(), running.cancellation};
        CompletionResult result =
            co_await service().Run(running.request, caller, running.relay.get());
        running.result.emplace(std::move(result));
    }
};

}  // namespace aim::pipeline
