#include "core/plugin/session_driver.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "tests/support/scripted_http_client.hpp"
#include "tests/support/scripted_plugin.hpp"

namespace aim::plugin {
namespace {

using aim::testing::AbiText;
using aim::testing::ScriptedAnswer;
using aim::testing::ScriptedPlugin;

// Fills every slot with one word, and refuses hosts that are not the provider's.
class FakeSlots final : public HeaderSlots {
  public:
    Result<std::string> Fill(std::string_view value, const http::Url& url) const override {
        if (url.host != "provider.test") return Fail(ErrorKind::kForbidden, "not to this host");
        std::string filled(value);
        if (const auto at = filled.find("{KEY}"); at != std::string::npos)
            filled.replace(at, 5, "secret");
        return filled;
    }
};

ScriptedAnswer Events(const std::vector<std::string>& events) {
    std::vector<std::string> body;
    for (const std::string& event : events) body.push_back("data: " + event + "\n\n");
    return ScriptedAnswer::Ok(std::move(body), "text/event-stream");
}

class SessionDriverTest : public ::testing::Test {
  protected:
    struct Outcome {
        ChatSession::Status status = ChatSession::Status::kMore;
        std::string text;
        Error error;
        bool plugin_fault = false;
        bool hung = false;
    };

    // One session from begin to its end.
    Outcome Run() {
        Outcome outcome;
        bool over = false;
        boost::asio::co_spawn(loop_, Play(outcome), [&](std::exception_ptr failure) {
            if (failure) std::rethrow_exception(failure);
            over = true;
        });
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!over && std::chrono::steady_clock::now() < deadline) {
            loop_.restart();
            loop_.run_one_for(std::chrono::milliseconds(5));
            if (step_) step_();
        }
        outcome.hung = !over;
        EXPECT_TRUE(over);
        EXPECT_EQ(client_.open(), 0);
        return outcome;
    }

    void ExpectFault(const char* what) {
        const Outcome outcome = Run();
        EXPECT_EQ(outcome.status, ChatSession::Status::kFailed);
        EXPECT_TRUE(outcome.plugin_fault);
        EXPECT_EQ(outcome.error.kind, ErrorKind::kInternal);
        EXPECT_NE(outcome.error.message.find(what), std::string::npos) << outcome.error.message;
        EXPECT_LE(plugin_.CallsOf("end"), 1U);
    }

    boost::asio::io_context loop_{1};
    ScriptedPlugin plugin_;
    aim::testing::ScriptedHttpClient client_{loop_.get_executor()};
    FakeSlots slots_;
    std::optional<Cancellation> cancellation_{std::in_place};
    std::function<void()> step_;  // after every turn of the loop
    std::string members_ = "\"messages\":[]";
    Conduct* conduct_ = nullptr;

  private:
    Task<> Play(Outcome& outcome) {
        auto provider = ChatProvider::Create(
            nullptr, plugin_.table(), plugin_.address(),
            [](std::string_view) { return std::nullopt; }, SystemClock(), nullptr, nullptr);
        ChatSession::Target target;
        target.provider = *provider;
        target.model = "m";
        target.model_json = "\"m\"";
        target.slots = &slots_;
        target.conduct = conduct_;
        completion::ChatRequest request;
        request.members = members_;
        ChatSession session(std::move(target), request, client_, SystemClock(), 1, *cancellation_);
        completion::DeltaBatch batch;
        while (outcome.status == ChatSession::Status::kMore) {
            outcome.status = co_await session.Next(batch);
            for (std::size_t i = 0; i < batch.size(); ++i) {
                if (batch[i].kind == completion::DeltaKind::kText) outcome.text += batch[i].text;
            }
            batch.Clear();
        }
        outcome.error = session.error();
        outcome.plugin_fault = session.plugin_fault();
    }
};

TEST_F(SessionDriverTest, CallsTheFunctionsInTheOrderOfTheStateMachine) {
    client_.Add(Events({"a", "b", "[DONE]"}));
    const Outcome outcome = Run();
    EXPECT_EQ(outcome.status, ChatSession::Status::kDone);
    EXPECT_EQ(outcome.text, "ab");
    EXPECT_FALSE(outcome.plugin_fault);
    EXPECT_EQ(plugin_.calls,
              (std::vector<std::string>{"create", "begin", "next_request", "on_head", "on_data",
                                        "on_data", "on_data", "end", "destroy"}));
    ASSERT_EQ(client_.requests().size(), 1U);
    EXPECT_EQ(client_.requests()[0].method, "POST");
    EXPECT_EQ(client_.requests()[0].headers.Find("Authorization"), "Bearer secret");
}

// How long a prompt is, is the caller's doing.
TEST_F(SessionDriverTest, TheCallsThatReadThePromptAreGivenTimeForItsLength) {
    conduct_ =
        &Conduct::Make("slow", std::make_shared<ConductTotals>(), [](const Conduct::Report&) {});
    conduct_->Watch(SystemClock().Now());
    const auto begin = std::exchange(plugin_.begin, nullptr);
    const auto next_request = std::exchange(plugin_.next_request, nullptr);
    const auto sleep = [] { std::this_thread::sleep_for(std::chrono::milliseconds(60)); };
    plugin_.begin = [&](const aim_call* call, const aim_chat_request* request, uint64_t seed) {
        sleep();
        return begin(call, request, seed);
    };
    plugin_.next_request = [&](const aim_call* call, const aim_http_builder* builder) {
        sleep();
        return next_request(call, builder);
    };
    members_ = "\"messages\":[\"" + std::string(std::size_t{32} << 20, 'x') + "\"]";
    client_.Add(Events({"a", "[DONE]"}));
    EXPECT_EQ(Run().status, ChatSession::Status::kDone);
    EXPECT_EQ(conduct_->Describe(), "");
    members_ = "\"messages\":[]";
    client_.Add(Events({"a", "[DONE]"}));
    EXPECT_EQ(Run().status, ChatSession::Status::kDone);
    EXPECT_EQ(conduct_->Describe(), "over_budget 2");
}

// The flood's bound grows with what the plugin was given, also for who answers at the end.
TEST_F(SessionDriverTest, AWholeAnswerThatIsUnderstoodAtItsEndMayBeLarge) {
    const std::string large(20u << 20, 'x');
    plugin_.on_data = [](const aim_call*, const aim_http_data*) { return AIM_STEP_CONTINUE; };
    plugin_.on_end = [&](const aim_call* call, int32_t) {
        call->sink->text(call->sink->context, 0, AbiText(large));
        return ScriptedPlugin::Finish(call);
    };
    client_.Add(ScriptedAnswer::Ok({large}, "application/json"));
    const Outcome outcome = Run();
    EXPECT_EQ(outcome.status, ChatSession::Status::kDone) << outcome.error.message;
    EXPECT_EQ(outcome.text.size(), large.size());
    EXPECT_FALSE(outcome.plugin_fault);
}

// Names by number are in lower case, whatever was sent, and stay where they are during the call.
TEST_F(SessionDriverTest, ThePluginSeesTheHeadOfTheAnswer) {
    ScriptedAnswer answer = Events({"a", "[DONE]"});
    answer.headers = {{"X-RateLimit-Reset", "7s"},
                      {"Set-Cookie", "one"},
                      {"Content-Type", "text/event-stream"},
                      {"set-cookie", "Two"}};
    std::vector<std::string> seen;
    plugin_.on_head = [&](const aim_call* call, const aim_http_head* head) {
        std::vector<std::pair<aim_str, aim_str>> fields(head->header_count);
        for (std::uint32_t i = head->header_count; i-- > 0;)  // from the end
            EXPECT_EQ(head->header(head, i, &fields[i].first, &fields[i].second), AIM_OK);
        for (const auto& [name, value] : fields)
            seen.push_back(aim::testing::FromAbi(name) + ": " + aim::testing::FromAbi(value));
        aim_str name{};
        aim_str value{};
        EXPECT_EQ(head->header(head, head->header_count, &name, &value), AIM_FAILED);
        EXPECT_EQ(head->header(head, 0, nullptr, &value), AIM_FAILED);
        EXPECT_EQ(head->find(head, AbiText("x-ratelimit-reset"), &value), AIM_OK);
        EXPECT_EQ(aim::testing::FromAbi(value), "7s");
        EXPECT_EQ(head->find(head, AbiText("x-nothing"), &value), AIM_FAILED);
        return ScriptedPlugin::TakeHead(call, head);
    };
    client_.Add(answer);
    EXPECT_EQ(Run().status, ChatSession::Status::kDone);
    EXPECT_EQ(seen,
              (std::vector<std::string>{"x-ratelimit-reset: 7s", "set-cookie: one",
                                        "content-type: text/event-stream", "set-cookie: Two"}));
}

TEST_F(SessionDriverTest, AJobThatIsPolledTakesSeveralRoundTripsAndWaits) {
    int polls = 0;
    plugin_.on_data = [&](const aim_call* call, const aim_http_data* data) {
        if (++polls < 3) {
            call->sink->wait(call->sink->context, 1);
            return AIM_STEP_WAIT;
        }
        return ScriptedPlugin::TakeData(call, data);
    };
    client_.Add(Events({"job"}));
    client_.Add(Events({"pending"}));
    client_.Add(Events({"ready", "[DONE]"}));
    const Outcome outcome = Run();
    EXPECT_EQ(outcome.status, ChatSession::Status::kDone);
    EXPECT_EQ(outcome.text, "ready");
    EXPECT_EQ(client_.requests().size(), 3U);
    EXPECT_EQ(plugin_.CallsOf("on_wake"), 2U);
    EXPECT_EQ(plugin_.CallsOf("end"), 1U);
}

TEST_F(SessionDriverTest, BeginMustNotContinue) {
    plugin_.begin = [](const aim_call*, const aim_chat_request*, uint64_t) {
        return AIM_STEP_CONTINUE;
    };
    ExpectFault("begin returned CONTINUE");
}

TEST_F(SessionDriverTest, BeginMustMakeASession) {
    plugin_.makes_session = false;
    ExpectFault("begin made no session");
    EXPECT_EQ(plugin_.CallsOf("end"), 0U);
}

TEST_F(SessionDriverTest, AnUnknownStepIsAFault) {
    plugin_.on_head = [](const aim_call*, const aim_http_head*) { return 77; };
    client_.Add(Events({"a"}));
    ExpectFault("unknown step 77");
}

TEST_F(SessionDriverTest, AFailureWithoutAReasonIsAFault) {
    plugin_.on_head = [](const aim_call*, const aim_http_head*) { return AIM_STEP_FAILED; };
    client_.Add(Events({"a"}));
    ExpectFault("failed without saying why");
}

TEST_F(SessionDriverTest, NothingFollowsTheEnd) {
    plugin_.on_end = [](const aim_call*, int32_t) { return AIM_STEP_CONTINUE; };
    client_.Add(Events({"a"}));
    ExpectFault("on_end returned CONTINUE");
}

TEST_F(SessionDriverTest, AWakeHasNoAnswerToGoOnWith) {
    plugin_.begin = [](const aim_call* call, const aim_chat_request*, uint64_t) {
        call->sink->wait(call->sink->context, 1);
        return AIM_STEP_WAIT;
    };
    plugin_.on_wake = [](const aim_call*) { return AIM_STEP_CONTINUE; };
    ExpectFault("on_wake returned CONTINUE");
}

TEST_F(SessionDriverTest, AnExceptionStopsAtTheBorder) {
    plugin_.on_data = [](const aim_call*, const aim_http_data*) -> int32_t {
        throw std::runtime_error("boom");
    };
    client_.Add(Events({"a"}));
    ExpectFault("threw");
}

TEST_F(SessionDriverTest, DoneWithoutAFinishReasonIsTruncated) {
    plugin_.on_data = [](const aim_call*, const aim_http_data*) { return AIM_STEP_DONE; };
    client_.Add(Events({"a"}));
    const Outcome outcome = Run();
    EXPECT_EQ(outcome.status, ChatSession::Status::kFailed);
    EXPECT_EQ(outcome.error.code, "truncated");
    EXPECT_FALSE(outcome.plugin_fault);
}

TEST_F(SessionDriverTest, OneCallCannotPutOutWithoutEnd) {
    plugin_.on_data = [](const aim_call* call, const aim_http_data*) {
        const std::string megabyte(1u << 20, 'x');
        for (int i = 0; i < 20; ++i) call->sink->text(call->sink->context, 0, AbiText(megabyte));
        return AIM_STEP_CONTINUE;
    };
    client_.Add(Events({"a"}));
    ExpectFault("put out more");
}

TEST_F(SessionDriverTest, AHeaderOfTheHostsOwnIsRefused) {
    plugin_.next_request = [](const aim_call*, const aim_http_builder* builder) {
        ScriptedPlugin::Describe(builder);
        builder->header(builder->context, AbiText("Host"), AbiText("other.test"));
        return AIM_OK;
    };
    ExpectFault("Host");
    EXPECT_TRUE(client_.requests().empty());
}

TEST_F(SessionDriverTest, ARequestWithoutAUrlIsRefused) {
    plugin_.next_request = [](const aim_call*, const aim_http_builder*) { return AIM_OK; };
    ExpectFault("without a URL");
}

TEST_F(SessionDriverTest, ASecretForAForeignHostEndsItWithoutARequest) {
    plugin_.next_request = [](const aim_call*, const aim_http_builder* builder) {
        ScriptedPlugin::Describe(builder, "http://thief.test/");
        return AIM_OK;
    };
    const Outcome outcome = Run();
    EXPECT_EQ(outcome.error.kind, ErrorKind::kForbidden);
    EXPECT_FALSE(outcome.plugin_fault);
    EXPECT_TRUE(client_.requests().empty());
}

TEST_F(SessionDriverTest, ACancelEndsItWhereverItStands) {
    for (const char* where : {"head", "body", "wait"}) {
        SCOPED_TRACE(where);
        plugin_.calls.clear();
        const bool waits = std::string_view(where) == "wait";
        plugin_.begin = [waits](const aim_call* call, const aim_chat_request*, uint64_t) {
            if (!waits) return AIM_STEP_NEXT_REQUEST;
            call->sink->wait(call->sink->context, 60'000);
            return AIM_STEP_WAIT;
        };
        ScriptedAnswer answer = Events({"a"});
        answer.hang_before_head = std::string_view(where) == "head";
        answer.hang_in_body = std::string_view(where) == "body";
        if (!waits) client_.Add(answer);
        cancellation_.emplace();
        step_ = [this] {
            if (!plugin_.calls.empty()) cancellation_->Cancel(Cancellation::Reason::kClientLeft);
        };
        const Outcome outcome = Run();
        EXPECT_EQ(outcome.status, ChatSession::Status::kFailed);
        EXPECT_EQ(outcome.error.kind, ErrorKind::kCancelled);
        EXPECT_FALSE(outcome.plugin_fault);
        EXPECT_EQ(plugin_.CallsOf("end"), 1U);
    }
}

TEST_F(SessionDriverTest, ACutBodyIsTheProvidersFault) {
    ScriptedAnswer cut = Events({"a"});
    cut.read_error.emplace();
    cut.read_error->kind = ErrorKind::kUpstreamFailure;
    cut.read_error->code = "reset";
    client_.Add(cut);
    const Outcome outcome = Run();
    EXPECT_EQ(outcome.text, "a");
    EXPECT_EQ(outcome.error.kind, ErrorKind::kUpstreamFailure);
    EXPECT_FALSE(outcome.plugin_fault);
}

ScriptedAnswer Unreachable() {
    ScriptedAnswer answer;
    answer.send_error.emplace();
    answer.send_error->kind = ErrorKind::kUpstreamFailure;
    answer.send_error->code = "connect_failed";
    return answer;
}

// An answer that is lost says nothing about the job behind it: a session that polls may ask again.
TEST_F(SessionDriverTest, AfterACutBodyTheSessionMayAskAgain) {
    for (const int32_t step : {AIM_STEP_NEXT_REQUEST, AIM_STEP_WAIT}) {
        SCOPED_TRACE(step);
        std::vector<int32_t> endings;
        plugin_.on_end = [&](const aim_call* call, int32_t how) {
            endings.push_back(how);
            call->sink->wait(call->sink->context, 1);
            return step;
        };
        ScriptedAnswer cut = Events({});
        cut.read_error.emplace();
        cut.read_error->kind = ErrorKind::kUpstreamFailure;
        client_.Add(cut);
        client_.Add(Events({"again", "[DONE]"}));
        const Outcome outcome = Run();
        EXPECT_EQ(outcome.status, ChatSession::Status::kDone) << outcome.error.message;
        EXPECT_EQ(outcome.text, "again");
        EXPECT_FALSE(outcome.plugin_fault);
        EXPECT_EQ(endings, std::vector<int32_t>{AIM_END_TRUNCATED});
    }
}

TEST_F(SessionDriverTest, DoneAfterACutBodyIsNoSuccess) {
    plugin_.on_end = [](const aim_call*, int32_t) { return AIM_STEP_DONE; };
    ScriptedAnswer cut = Events({"a"});
    cut.read_error.emplace();
    cut.read_error->kind = ErrorKind::kUpstreamFailure;
    client_.Add(cut);
    EXPECT_EQ(Run().status, ChatSession::Status::kFailed);
}

TEST_F(SessionDriverTest, ALaterRequestWithoutAConnectionIsToldAndMayBeRepeated) {
    std::vector<int32_t> endings;
    plugin_.on_data = [polls = 0](const aim_call* call, const aim_http_data* data) mutable {
        return polls++ == 0 ? AIM_STEP_NEXT_REQUEST : ScriptedPlugin::TakeData(call, data);
    };
    plugin_.on_end = [&](const aim_call* call, int32_t how) {
        endings.push_back(how);
        call->sink->wait(call->sink->context, 1);
        return AIM_STEP_WAIT;
    };
    client_.Add(Events({"job"}));
    client_.Add(Unreachable());
    client_.Add(Events({"ready", "[DONE]"}));
    const Outcome outcome = Run();
    EXPECT_EQ(outcome.status, ChatSession::Status::kDone) << outcome.error.message;
    EXPECT_EQ(outcome.text, "ready");
    EXPECT_EQ(endings, std::vector<int32_t>{AIM_END_NOT_CONNECTED});
    EXPECT_EQ(plugin_.CallsOf("on_head"), 2U);
    EXPECT_EQ(client_.requests().size(), 3U);
}

TEST_F(SessionDriverTest, OfALostConnectionTheHostsOwnErrorCounts) {
    plugin_.on_data = [](const aim_call*, const aim_http_data*) { return AIM_STEP_NEXT_REQUEST; };
    client_.Add(Events({"job"}));
    client_.Add(Unreachable());
    const Outcome outcome = Run();  // on_end fails with words of its own
    EXPECT_EQ(outcome.status, ChatSession::Status::kFailed);
    EXPECT_EQ(outcome.error.code, "connect_failed");
    EXPECT_FALSE(outcome.plugin_fault);
    EXPECT_EQ(plugin_.CallsOf("on_end"), 1U);
}

TEST_F(SessionDriverTest, AFirstRequestWithoutAConnectionIsTheHostsAffair) {
    client_.Add(Unreachable());
    const Outcome outcome = Run();
    EXPECT_EQ(outcome.error.code, "connect_failed");
    EXPECT_EQ(plugin_.CallsOf("on_end"), 0U);
    EXPECT_EQ(plugin_.CallsOf("end"), 1U);
}

}  // namespace
}  // namespace aim::plugin
