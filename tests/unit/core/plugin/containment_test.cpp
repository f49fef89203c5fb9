// What the host does with plugins that pass every check and misbehave while they serve: real
// libraries of tests/bad_plugins, real sessions, the registry's verdict.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "core/plugin/registry.hpp"
#include "core/plugin/session_driver.hpp"
#include "tests/bad_plugins/plugin_folder.hpp"
#include "tests/support/scripted_http_client.hpp"

namespace aim::plugin {
namespace {

namespace fs = std::filesystem;
using testing::Eventually;
using testing::Fixture;
using testing::Install;
using testing::ReadAll;
using testing::ReasonOf;
using testing::WithMark;

// The fixtures have no note: their id is the file's name, their version 1.0.0.
class NameProbe final : public PluginProbe {
  public:
    explicit NameProbe(std::string id) : id_(std::move(id)) {}
    ProbeResult Probe(const fs::path&, std::stop_token) override {
        ProbeResult result;
        result.verdict.id = id_;
        result.verdict.version = "1.0.0";
        return result;
    }
    std::string Identity() const override { return "name-probe"; }

  private:
    const std::string id_;
};

class NoSlots final : public HeaderSlots {
  public:
    Result<std::string> Fill(std::string_view text, const http::Url&) const override {
        return std::string(text);
    }
};

class CountingObserver final : public RegistryObserver {
  public:
    void OnQuarantined(const Generation&, bool rolled_back) override {
        ++quarantines;
        rollbacks += rolled_back ? 1 : 0;
    }
    std::atomic<int> quarantines{0};
    std::atomic<int> rollbacks{0};
};

class ContainmentTest : public ::testing::Test {
  protected:
    ContainmentTest() { fs::create_directory(plugins_); }

    void Start(const std::string& id) {
        id_ = id;
        Install(ReadAll(Fixture(id)), file());
        RegistryOptions options;
        options.folders = {plugins_};
        options.state_dir = folder_ / "state";
        options.host_version = "test";
        registry_ = std::make_unique<Registry>(std::move(options), std::make_unique<NameProbe>(id),
                                               log_, observer_);
        registry_->Start();
        ASSERT_NE(Serving(), nullptr) << ReasonOf(*registry_, file());
    }
    fs::path file() const { return plugins_ / (id_ + ".so"); }

    GenerationPtr Serving() const {
        const PluginSetPtr set = registry_->Snapshot();
        const GenerationPtr* const found = set->Find(id_);
        return found == nullptr ? nullptr : *found;
    }

    struct Answer {
        bool ok = false;
        Error error;
        std::string text;
        bool fault = false;
    };

    Answer Ask(const GenerationPtr& generation, const std::string& model) {
        auto provider = ChatProvider::Create(
            generation, generation->chat(), "{}", [](std::string_view) { return std::nullopt; },
            SystemClock(), nullptr, nullptr);
        EXPECT_TRUE(provider);
        completion::ChatRequest request;
        request.members = R"("messages":[{"role":"user","content":"x"}])";
        request.messages.push_back({completion::Role::kUser, false, false, "x", ""});
        boost::asio::io_context context;
        aim::testing::ScriptedHttpClient client(context.get_executor());
        Cancellation cancellation;
        const NoSlots slots;
        const std::string model_json = '"' + model + '"';
        Answer answer;
        ChatSession::Target target;
        target.provider = *provider;
        target.model = model;
        target.model_json = model_json;
        target.slots = &slots;
        target.conduct = generation->conduct();
        auto run = [&]() -> Task<> {
            ChatSession session(target, request, client, SystemClock(), 1, cancellation);
            for (;;) {
                completion::DeltaBatch batch;
                const auto status = co_await session.Next(batch);
                for (std::size_t i = 0; i < batch.size(); ++i) answer.text += batch[i].text;
                if (status == ChatSession::Status::kMore) continue;
                answer.ok = status == ChatSession::Status::kDone;
                answer.error = session.error();
                answer.fault = session.plugin_fault();
                co_return;
            }
        };
        boost::asio::co_spawn(context, run(), [](std::exception_ptr thrown) {
            if (thrown) std::rethrow_exception(thrown);
        });
        context.run();
        return answer;
    }
    // What becomes of a row with these settings. The plugin keeps nothing of it.
    Result<std::shared_ptr<const ChatProvider>> Make(const GenerationPtr& generation,
                                                     std::string_view settings) {
        return ChatProvider::Create(
            generation, generation->chat(), settings, [](std::string_view) { return std::nullopt; },
            SystemClock(), nullptr, generation->conduct());
    }
    Answer Misbehave() {
        const GenerationPtr generation = Serving();
        return generation ? Ask(generation, "misbehave") : Answer();
    }

    std::uint64_t Counted(Misbehaviour kind) const {
        return registry_->totals().misbehaviours[static_cast<std::size_t>(kind)];
    }
    // Five sessions of misbehaviour and what follows from them.
    void ExpectQuarantineAfterFive(Misbehaviour kind) {
        const GenerationPtr generation = Serving();
        for (std::size_t i = 0; i < Conduct::kStrikes; ++i) {
            EXPECT_FALSE(generation->conduct()->quarantined()) << i;
            (void)Ask(generation, "misbehave");
        }
        EXPECT_TRUE(generation->conduct()->quarantined());
        EXPECT_GE(Counted(kind), Conduct::kStrikes);
        ASSERT_TRUE(Eventually([&] { return ReasonOf(*registry_, file()) == "quarantined"; }));
        EXPECT_EQ(Serving(), nullptr);
        // Under a sanitizer a flood is over the time budget, too.
        EXPECT_GE(log_.Count("plugin_misbehaved"), 1);
        EXPECT_EQ(log_.Count("plugin_quarantined"), 1);
        const auto refusal = testing::RefusalOf(*registry_, file());
        EXPECT_NE(refusal->message.find(MisbehaviourName(kind)), std::string::npos)
            << refusal->message;
        // Who still holds the generation gets no call into it any more.
        const Answer late = Ask(generation, "good");
        EXPECT_FALSE(late.ok);
        EXPECT_EQ(late.error.code, "plugin_quarantined");
        EXPECT_FALSE(late.fault);
    }

    testing::TempFolder folder_;
    const fs::path plugins_ = folder_ / "plugins";
    testing::RecordingLogger log_;
    CountingObserver observer_;
    std::string id_;
    std::unique_ptr<Registry> registry_;
};

TEST_F(ContainmentTest, ExceptionsEndTheSessionOnly) {
    Start("runtime_throws");
    EXPECT_EQ(Ask(Serving(), "good").text, "fine");
    const Answer answer = Misbehave();
    EXPECT_FALSE(answer.ok);
    EXPECT_TRUE(answer.fault);
    EXPECT_EQ(answer.error.kind, ErrorKind::kInternal);
    EXPECT_EQ(answer.error.code, "plugin_fault");
    EXPECT_EQ(Serving()->conduct()->figures().strikes, 1u);
    EXPECT_EQ(Ask(Serving(), "good").text, "fine");
}

TEST_F(ContainmentTest, ThrowingPluginIsQuarantined) {
    Start("runtime_throws");
    ExpectQuarantineAfterFive(Misbehaviour::kException);
    EXPECT_EQ(observer_.quarantines, 1);
    EXPECT_EQ(observer_.rollbacks, 0);
}

TEST_F(ContainmentTest, ThrowingOutOfCreateIsCountedAndLeadsToQuarantine) {
    Start("runtime_create_throws");
    const GenerationPtr generation = Serving();
    EXPECT_TRUE(Make(generation, "{}"));
    EXPECT_EQ(generation->conduct()->figures().strikes, 0u);
    for (std::size_t i = 0; i < Conduct::kStrikes; ++i) {
        EXPECT_FALSE(generation->conduct()->quarantined()) << i;
        const auto made = Make(generation, R"({"mode":"misbehave"})");
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().kind, ErrorKind::kInternal);
        EXPECT_NE(made.error().message.find("create"), std::string::npos) << made.error().message;
        EXPECT_EQ(Counted(Misbehaviour::kException), i + 1);
        EXPECT_EQ(generation->conduct()->figures().strikes, i + 1);
    }
    ASSERT_TRUE(Eventually([&] { return ReasonOf(*registry_, file()) == "quarantined"; }));
    EXPECT_EQ(Serving(), nullptr);
    EXPECT_EQ(observer_.quarantines, 1);
    EXPECT_NE(testing::RefusalOf(*registry_, file())->message.find("exception 5"),
              std::string::npos);
    // It is not called any more, also for a row that it would take.
    const auto late = Make(generation, "{}");
    ASSERT_FALSE(late);
    EXPECT_NE(late.error().message.find("quarantine"), std::string::npos);
    EXPECT_EQ(generation->conduct()->figures().strikes, Conduct::kStrikes);
}

TEST_F(ContainmentTest, UnknownStepsLeadToQuarantine) {
    Start("runtime_wrong_step");
    EXPECT_NE(Misbehave().error.message.find("99"), std::string::npos);
    registry_->Rescan();
    Serving()->conduct()->Pardon();
    ExpectQuarantineAfterFive(Misbehaviour::kIllegalStep);
}

TEST_F(ContainmentTest, FloodIsCutAndCounted) {
    Start("runtime_floods");
    const Answer answer = Misbehave();
    EXPECT_FALSE(answer.ok);
    EXPECT_LE(answer.text.size(), SessionSink::kMaxCallBytes);
    Serving()->conduct()->Pardon();
    ExpectQuarantineAfterFive(Misbehaviour::kOutputFlood);
}

TEST_F(ContainmentTest, BadUtf8IsRepairedAndNoStrike) {
    Start("runtime_bad_utf8");
    for (int i = 0; i < 10; ++i) {
        const Answer answer = Misbehave();
        EXPECT_TRUE(answer.ok);
        EXPECT_TRUE(IsValidUtf8(answer.text));
        EXPECT_NE(answer.text.find("\xEF\xBF\xBD"), std::string::npos);
        EXPECT_EQ(answer.text.back(), 'e') << "what follows is whole";
    }
    EXPECT_FALSE(Serving()->conduct()->quarantined());
}

TEST_F(ContainmentTest, SinkThatIsUsedAfterTheLastCallIsClosed) {
    Start("runtime_late_sink");
    const Answer answer = Misbehave();
    EXPECT_TRUE(answer.ok);
    EXPECT_EQ(answer.text, "fine");
    EXPECT_EQ(Counted(Misbehaviour::kLateOutput), 1u);
    Serving()->conduct()->Pardon();
    ExpectQuarantineAfterFive(Misbehaviour::kLateOutput);
}

TEST_F(ContainmentTest, SinkOfASessionThatEndedReachesNobody) {
    Start("runtime_stale_sink");
    EXPECT_EQ(Misbehave().text, "fine");  // only keeps it
    const Answer answer = Misbehave();
    EXPECT_TRUE(answer.ok);
    EXPECT_EQ(answer.text, "fine");
    EXPECT_EQ(Counted(Misbehaviour::kLateOutput), 1u);
    Serving()->conduct()->Pardon();
    ExpectQuarantineAfterFive(Misbehaviour::kLateOutput);
}

TEST_F(ContainmentTest, OutputFromAnotherThreadIsDropped) {
    Start("runtime_other_thread");
    const Answer answer = Misbehave();
    EXPECT_TRUE(answer.ok);
    EXPECT_EQ(answer.text, "fine");
    EXPECT_TRUE(answer.fault);
    Serving()->conduct()->Pardon();
    ExpectQuarantineAfterFive(Misbehaviour::kForeignThread);
}

TEST_F(ContainmentTest, SlowCallsAnswerButLeadToQuarantine) {
    Start("runtime_slow");
    const GenerationPtr generation = Serving();
    const Answer answer = Misbehave();  // from here on it is watched
    EXPECT_TRUE(answer.ok);
    EXPECT_EQ(answer.text, "fine");
    EXPECT_EQ(log_.Count("plugin_slow") + log_.Count("plugin_misbehaved") > 0 ||
                  Eventually([&] { return log_.Count("plugin_slow") == 1; }),
              true);
    ASSERT_TRUE(Eventually([&] {
        if (!generation->conduct()->quarantined()) EXPECT_TRUE(Ask(generation, "misbehave").ok);
        return generation->conduct()->quarantined();
    }));
    EXPECT_GE(Counted(Misbehaviour::kOverBudget), Conduct::kStrikes);
    EXPECT_GE(generation->conduct()->figures().longest_call, std::chrono::milliseconds(80));
    ASSERT_TRUE(Eventually([&] { return ReasonOf(*registry_, file()) == "quarantined"; }));
}

TEST_F(ContainmentTest, QuarantineRollsBackToTheContentBefore) {
    Start("runtime_wrong_step");
    const std::uint64_t first = Serving()->number();
    Install(WithMark(ReadAll(Fixture(id_)), 1), file());
    registry_->Rescan();
    ASSERT_NE(Serving()->number(), first);
    for (std::size_t i = 0; i < Conduct::kStrikes; ++i) (void)Misbehave();
    ASSERT_TRUE(Eventually([&] { return observer_.quarantines == 1; }));
    ASSERT_TRUE(Eventually([&] { return Serving() != nullptr; }));
    EXPECT_EQ(observer_.rollbacks, 1);
    EXPECT_EQ(registry_->Loaded()[0].state, GenerationState::kRolledBack);
    EXPECT_EQ(registry_->Loaded()[0].sha256,
              security::ToHex(security::Sha256(ReadAll(Fixture(id_)))));
    EXPECT_EQ(ReasonOf(*registry_, file()), "quarantined");
    EXPECT_EQ(Ask(Serving(), "good").text, "fine");

    // The same bytes written again change nothing, repaired ones are taken.
    Install(WithMark(ReadAll(Fixture(id_)), 1), file());
    ASSERT_FALSE(Eventually([&] { return ReasonOf(*registry_, file()) != "quarantined"; },
                            std::chrono::seconds(1)));
    Install(WithMark(ReadAll(Fixture(id_)), 2), file());
    ASSERT_TRUE(Eventually([&] { return ReasonOf(*registry_, file()).empty(); }));
    EXPECT_EQ(registry_->Loaded()[0].state, GenerationState::kServing);
    EXPECT_EQ(Ask(Serving(), "good").text, "fine");
}

TEST_F(ContainmentTest, RescanReleasesFromQuarantine) {
    Start("runtime_throws");
    for (std::size_t i = 0; i < Conduct::kStrikes; ++i) (void)Misbehave();
    ASSERT_TRUE(Eventually([&] { return Serving() == nullptr; }));
    registry_->Rescan();
    ASSERT_NE(Serving(), nullptr);
    EXPECT_EQ(log_.Count("plugin_released"), 1);
    EXPECT_TRUE(registry_->Refusals().empty());
    EXPECT_EQ(Ask(Serving(), "good").text, "fine");
    // Five more and it is there again.
    for (std::size_t i = 0; i < Conduct::kStrikes; ++i) (void)Misbehave();
    EXPECT_TRUE(Eventually([&] { return Serving() == nullptr; }));
    EXPECT_EQ(observer_.quarantines, 2);
}

TEST_F(ContainmentTest, FileThatGoesAndComesBackStaysInQuarantine) {
    Start("runtime_throws");
    for (std::size_t i = 0; i < Conduct::kStrikes; ++i) (void)Misbehave();
    ASSERT_TRUE(Eventually([&] { return Serving() == nullptr; }));
    fs::remove(file());
    ASSERT_TRUE(Eventually([&] { return registry_->Refusals().empty(); }));
    Install(ReadAll(Fixture(id_)), file());
    ASSERT_TRUE(Eventually([&] { return ReasonOf(*registry_, file()) == "quarantined"; }));
    EXPECT_EQ(Serving(), nullptr);
}

TEST_F(ContainmentTest, SessionsAreCountedAndGenerationsInUseAreReported) {
    Start("runtime_throws");
    for (int i = 0; i < 3; ++i) (void)Ask(Serving(), "good");
    GenerationPtr held = Serving();
    Install(WithMark(ReadAll(Fixture(id_)), 1), file());
    registry_->Rescan();
    const auto retiring = registry_->Retiring();
    ASSERT_EQ(retiring.size(), 1u);
    EXPECT_EQ(retiring[0].state, GenerationState::kRetiring);
    EXPECT_EQ(retiring[0].generation, held->number());
    EXPECT_EQ(retiring[0].conduct.sessions, 3u);
    EXPECT_EQ(retiring[0].conduct.open_sessions, 0);
    EXPECT_GE(retiring[0].conduct.calls, 3u);
    held.reset();
    EXPECT_TRUE(registry_->Retiring().empty());
    EXPECT_EQ(registry_->Loaded()[0].conduct.sessions, 0u);
    fs::remove(file());
    EXPECT_TRUE(Eventually([&] {
        const auto loaded = registry_->Loaded();
        return !loaded.empty() && loaded[0].state == GenerationState::kLeaving;
    }));
}

}  // namespace
}  // namespace aim::plugin
