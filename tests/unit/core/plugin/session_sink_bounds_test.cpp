// What the host's sink does not take: floods, what belongs to another interface, what comes at the
// wrong time or from elsewhere.
#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "core/plugin/session_sink.hpp"
#include "tests/unit/core/plugin/sink_fixture.hpp"

namespace aim::plugin {
namespace {

// An extension that says what it was given.
class Recorder final : public SinkExtension {
  public:
    explicit Recorder(std::string_view id) : id_(id) {}
    std::string_view id() const override { return id_; }
    std::string_view OnModel(const aim_model_info& model) override {
        models.push_back(aim::testing::FromAbi(model.id));
        return refusal;
    }
    std::string_view OnEmbedding(std::uint32_t index, const float* values,
                                 std::uint64_t count) override {
        vectors.emplace_back(
            index, count == 0 ? std::vector<float>() : std::vector<float>(values, values + count));
        return refusal;
    }

    std::vector<std::string> models;
    std::vector<std::pair<std::uint32_t, std::vector<float>>> vectors;
    std::string_view refusal;

  private:
    const std::string_view id_;
};

// Floods --------------------------------------------------------------------------------------

TEST_F(SessionSinkTest, ACallMayPutOut16MiBAndFourTimesItsInput) {
    const std::string most(SessionSink::kMaxCallBytes, 'x');
    Text(most);
    EXPECT_FALSE(sink_->overflowed());
    Text("y");
    EXPECT_TRUE(sink_->overflowed());
    EXPECT_EQ(batch_.text_bytes(), most.size());  // the drop too many is not taken
    sink_->Close();
    Open(1);  // the next call begins anew
    EXPECT_FALSE(sink_->overflowed());
    Text(most);
    Text("yyyy");
    EXPECT_FALSE(sink_->overflowed());
    Text("y");
    EXPECT_TRUE(sink_->overflowed());
    EXPECT_EQ(sink_->misbehaviour(), 0);  // the driver counts a flood itself
}

TEST_F(SessionSinkTest, ASessionMayPutOut64MiBInAll) {
    const std::string most(SessionSink::kMaxCallBytes, 'x');
    for (int i = 0; i < 4; ++i) {
        Open();
        Text(most);
        EXPECT_FALSE(sink_->overflowed()) << i;
        sink_->Close();
    }
    Open();
    Text("y");
    EXPECT_TRUE(sink_->overflowed());
    EXPECT_EQ(Told(batch_), "");
    Open();
    EXPECT_TRUE(sink_->overflowed());  // for good
}

TEST_F(SessionSinkTest, SmallPiecesAreBoundedByTheirNumber) {
    struct Case {
        const char* name;
        std::function<void()> give;
    };
    const std::size_t input = 80;
    const std::size_t most = SessionSink::kMaxCallItems + input / SessionSink::kBytesAnItem;
    uint32_t turn = 0;
    const Case cases[] = {
        {"text", [this] { Text("x"); }},
        {"text of two kinds", [this, &turn] { ++turn % 2 == 0 ? Text("x") : Reasoning("x"); }},
        {"tool calls", [this] { Call(0, "", "", ""); }},
        {"extras", [this] { Extra("a", "1"); }},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        sink_ = std::make_unique<SessionSink>(7, &conduct_);
        Open(input);
        for (std::size_t i = 0; i < most; ++i) c.give();
        EXPECT_FALSE(sink_->overflowed());
        EXPECT_EQ(batch_.size(), most);
        c.give();
        EXPECT_TRUE(sink_->overflowed());
        EXPECT_EQ(batch_.size(), most);
    }
}

TEST_F(SessionSinkTest, SizesThatLieCannotMakeTheSumSmallAgain) {
    const char byte = 'x';
    table_->tool_call(table_->context, 0, 0, {&byte, UINT64_MAX}, {&byte, UINT64_MAX}, {&byte, 2});
    EXPECT_TRUE(sink_->overflowed());
    table_->text(table_->context, 0, {&byte, UINT64_MAX});
    table_->extra(table_->context, 0, 0, 0, AbiText("a"), {&byte, UINT64_MAX});
    EXPECT_TRUE(sink_->overflowed());
    EXPECT_EQ(Told(batch_), "");
}

// Other interfaces ----------------------------------------------------------------------------

TEST_F(SessionSinkTest, TheExtensionIsTheInterfacesOwnAndNoOther) {
    const auto get = [&](const char* id) { return table_->get_extension(table_->context, id); };
    EXPECT_EQ(get(AIM_MODELS_SINK_ID), nullptr);  // a chat has none
    Recorder models(AIM_MODELS_SINK_ID);
    sink_->Extend(&models);
    EXPECT_NE(get(AIM_MODELS_SINK_ID), nullptr);
    EXPECT_EQ(get(AIM_EMBEDDINGS_SINK_ID), nullptr);
    EXPECT_EQ(get("aim.models_sink/2"), nullptr);
    EXPECT_EQ(get(""), nullptr);
    EXPECT_EQ(get(nullptr), nullptr);
    Recorder embeddings(AIM_EMBEDDINGS_SINK_ID);
    sink_->Extend(&embeddings);
    EXPECT_EQ(get(AIM_MODELS_SINK_ID), nullptr);
    EXPECT_NE(get(AIM_EMBEDDINGS_SINK_ID), nullptr);
    EXPECT_EQ(sink_->misbehaviour(), 0);
}

TEST_F(SessionSinkTest, ModelsReachTheExtensionWholeOrNotAtAll) {
    Recorder recorder(AIM_MODELS_SINK_ID);
    sink_->Extend(&recorder);
    const auto* const models = static_cast<const aim_models_sink*>(
        table_->get_extension(table_->context, AIM_MODELS_SINK_ID));
    ASSERT_NE(models, nullptr);
    EXPECT_EQ(models->struct_size, sizeof(aim_models_sink));
    aim_model_info model{};
    model.struct_size = sizeof model;
    model.id = AbiText("m1");
    models->model(models->context, &model);
    models->model(models->context, nullptr);
    EXPECT_EQ(recorder.models, std::vector<std::string>{"m1"});
    EXPECT_EQ(sink_->misbehaviour(), 0);
    model.struct_size = 8;
    models->model(models->context, &model);
    EXPECT_EQ(sink_->misbehaviour(), 1);
    model.struct_size = sizeof model;
    recorder.refusal = "models that nobody wants";
    models->model(models->context, &model);
    EXPECT_EQ(sink_->misbehaviour(), 2);
    // The table outlives the session's; another interface's session says no.
    sink_->Extend(nullptr);
    models->model(models->context, &model);
    EXPECT_EQ(sink_->misbehaviour(), 3);
    EXPECT_EQ(recorder.models.size(), 2U);
}

TEST_F(SessionSinkTest, VectorsAreBoundedBeforeTheyAreRead) {
    Recorder recorder(AIM_EMBEDDINGS_SINK_ID);
    sink_->Extend(&recorder);
    const auto* const sink = static_cast<const aim_embeddings_sink*>(
        table_->get_extension(table_->context, AIM_EMBEDDINGS_SINK_ID));
    ASSERT_NE(sink, nullptr);
    const float values[] = {1, 2.5};
    sink->embedding(sink->context, 3, values, 2);
    ASSERT_EQ(recorder.vectors.size(), 1U);
    EXPECT_EQ(recorder.vectors[0].first, 3U);
    EXPECT_EQ(recorder.vectors[0].second, (std::vector<float>{1, 2.5}));
    sink->embedding(sink->context, 0, nullptr, 2);
    EXPECT_EQ(sink_->misbehaviour(), 1);
    sink->embedding(sink->context, 0, values, UINT64_MAX);
    sink->embedding(sink->context, 0, values, UINT64_MAX / sizeof(float) + 2);
    EXPECT_TRUE(sink_->overflowed());
    EXPECT_EQ(recorder.vectors.size(), 1U);
}

// When and from where -------------------------------------------------------------------------

// Every function of the table, once.
void SayEverything(const aim_sink* table) {
    void* const context = table->context;
    aim_usage usage{};
    usage.struct_size = sizeof usage;
    aim_error error{};
    error.struct_size = sizeof error;
    table->text(context, 0, AbiText("late"));
    table->reasoning(context, 0, AbiText("late"));
    table->refusal(context, 0, AbiText("late"));
    table->tool_call(context, 0, 0, AbiText("late"), AbiText("late"), AbiText("late"));
    table->usage(context, &usage);
    table->finish(context, 0, AIM_FINISH_STOP);
    table->extra(context, 0, 0, 0, AbiText("late"), AbiText("1"));
    table->error(context, &error);
    table->wait(context, 5);
    EXPECT_EQ(table->get_extension(context, AIM_MODELS_SINK_ID), nullptr);
}
constexpr int kEverything = 10;

TEST_F(SessionSinkTest, OutsideOfACallNothingIsTakenAndEverythingIsCounted) {
    Recorder recorder(AIM_MODELS_SINK_ID);
    sink_->Extend(&recorder);
    const auto* const models = static_cast<const aim_models_sink*>(
        table_->get_extension(table_->context, AIM_MODELS_SINK_ID));
    sink_->Close();
    SayEverything(table_);
    aim_model_info model{};
    model.struct_size = sizeof model;
    models->model(models->context, &model);
    EXPECT_EQ(Told(batch_), "");
    EXPECT_FALSE(batch_.has_usage());
    EXPECT_TRUE(recorder.models.empty());
    EXPECT_FALSE(sink_->finished());
    EXPECT_FALSE(sink_->has_error());
    EXPECT_EQ(sink_->wait().count(), 0);
    EXPECT_EQ(sink_->misbehaviour(), kEverything + 1);
    EXPECT_EQ(Counted(Misbehaviour::kLateOutput), kEverything + 1U);
    EXPECT_EQ(Counted(Misbehaviour::kForeignThread), 0U);
    EXPECT_EQ(conduct_.figures().strikes, 0U);  // the session makes it, when it ends
}

TEST_F(SessionSinkTest, FromAnotherThreadNothingIsTakenAndEverythingIsCounted) {
    Text("mine");
    std::thread([&] { SayEverything(table_); }).join();
    Text("again");
    EXPECT_EQ(Told(batch_), "text0:mine text0:again");
    EXPECT_FALSE(sink_->finished());
    EXPECT_FALSE(sink_->has_error());
    EXPECT_EQ(sink_->misbehaviour(), kEverything);
    EXPECT_EQ(Counted(Misbehaviour::kForeignThread), static_cast<unsigned>(kEverything));
    EXPECT_EQ(Counted(Misbehaviour::kLateOutput), 0U);
}

// Whatever a plugin's thread does meanwhile, the batch belongs to the session's thread alone.
TEST_F(SessionSinkTest, AForeignThreadThatNeverStopsDisturbsNobody) {
    std::atomic<bool> stop{false};
    std::atomic<int> strays{0};
    std::thread foreign([&, table = table_] {
        while (!stop) {
            table->text(table->context, 0, AbiText("foreign"));
            ++strays;
        }
    });
    std::string mine;
    for (int i = 0; i < 2000 || strays < 100; ++i) {
        Open();
        Text("x");
        sink_->Close();
        mine += Told(batch_);
        if (mine != "text0:x") break;
        mine.clear();
    }
    stop = true;
    foreign.join();
    EXPECT_EQ(mine, "");
    EXPECT_EQ(sink_->misbehaviour(), strays);
    EXPECT_EQ(Counted(Misbehaviour::kForeignThread) + Counted(Misbehaviour::kLateOutput),
              static_cast<std::uint64_t>(strays));
}

// One call at a time, but not always the same thread.
TEST_F(SessionSinkTest, ASessionMayMoveToAnotherThreadBetweenCalls) {
    Text("one");
    sink_->Close();
    completion::DeltaBatch other;
    std::thread([&] {
        const aim_sink* const table = sink_->Open(&other);
        table->text(table->context, 0, AbiText("two"));
        sink_->Close();
    }).join();
    EXPECT_EQ(Told(batch_), "text0:one");
    EXPECT_EQ(Told(other), "text0:two");
    EXPECT_EQ(sink_->misbehaviour(), 0);
}

// After the session its table is a closed door, not freed memory, and nobody else's for a while.
TEST_F(SessionSinkTest, ATableThatWasKeptLeadsNowhereWhenTheSessionIsGone) {
    const aim_sink* const kept = table_;
    sink_.reset();
    SayEverything(kept);
    EXPECT_EQ(Counted(Misbehaviour::kLateOutput), static_cast<unsigned>(kEverything));
    // There is no session any more that could make the strike.
    EXPECT_EQ(conduct_.figures().strikes, static_cast<unsigned>(kEverything));

    Conduct& other = Conduct::Make("other", std::make_shared<ConductTotals>(), [](const auto&) {});
    for (int i = 0; i < 200; ++i) {
        SessionSink next(1, &other);
        completion::DeltaBatch batch;
        const aim_sink* const table = next.Open(&batch);
        EXPECT_NE(table, kept);
        kept->text(kept->context, 0, AbiText("late"));
        EXPECT_EQ(Told(batch), "");
        EXPECT_EQ(next.misbehaviour(), 0);
    }
    EXPECT_EQ(other.Describe(), "");
}

TEST_F(SessionSinkTest, WithoutAConductTheSinkStillCounts) {
    SessionSink sink;
    const aim_sink* const table = sink.Open(&batch_);
    sink.Close();
    table->text(table->context, 0, AbiText("late"));
    sink.Open(&batch_);
    table->extra(table->context, 0, 0, 0, AbiText("a"), AbiText("{"));
    sink.Close();
    EXPECT_EQ(sink.misbehaviour(), 2);
}

}  // namespace
}  // namespace aim::plugin
