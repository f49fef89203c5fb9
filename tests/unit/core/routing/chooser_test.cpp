#include "core/routing/chooser.hpp"

#include <gtest/gtest.h>

#include "core/base/random.hpp"

namespace aim::routing {
namespace {

using std::chrono::milliseconds;

class ChooserTest : public ::testing::Test {
  protected:
    Candidate Make(const std::string& name) {
        auto row = std::make_shared<completion::ModelRecord>();
        row->id = Uuid::MakeV7(WallTime{}, *random_);
        row->name = name;
        Candidate candidate;
        candidate.state = states_.Get(row->id);
        candidate.row = row;
        candidate.availability = Availability::kAvailable;
        return candidate;
    }
    void Use(std::vector<Candidate> candidates) {
        table_ = std::make_shared<const RoutingTable>(std::move(candidates));
        chooser_.Use(table_);
    }
    const Candidate& At(std::size_t i) const { return table_->candidates()[i]; }
    std::string BestName(const Wanted& wanted = {}) {
        const Choice choice = chooser_.Best(wanted, now_);
        return choice.candidate == nullptr ? "" : choice.candidate->row->name;
    }
    void Outcome(std::size_t i, bool success, int ms) {
        states_.AddOutcome(At(i).row->id, success, milliseconds(ms));
    }

    std::unique_ptr<Random> random_ = MakeSeededRandom(1);
    ModelStates states_;
    Chooser chooser_{states_};
    std::shared_ptr<const RoutingTable> table_;
    MonotonicTime now_ = MonotonicTime(std::chrono::hours(1));
};

TEST_F(ChooserTest, TiesGoToFewerRequestsThenTheName) {
    Use({Make("b"), Make("a")});
    EXPECT_EQ(BestName(), "a");
    Outcome(1, true, 0);
    EXPECT_EQ(BestName(), "b");
}

TEST_F(ChooserTest, TheOrderFollowsEveryOutcome) {
    Use({Make("a"), Make("b"), Make("c")});
    Outcome(0, true, 2000);
    Outcome(1, true, 100);
    Outcome(2, false, 10);
    EXPECT_EQ(BestName(), "b");
    Outcome(1, false, 100);
    Outcome(1, false, 100);
    EXPECT_EQ(BestName(), "a");
}

TEST_F(ChooserTest, LeavesOutWhatIsTriedUnfitOrUnavailable) {
    Candidate inactive = Make("a");
    inactive.availability = Availability::kInactive;
    Candidate weak = Make("b");
    weak.capabilities = kStream;
    Use({inactive, weak, Make("c"), Make("d")});
    Wanted wanted;
    wanted.capabilities = kTools;
    EXPECT_EQ(BestName(wanted), "c");
    const std::vector<const Candidate*> tried = {&At(2), &At(3)};
    wanted.tried = tried;
    const Choice choice = chooser_.Best(wanted, now_);
    EXPECT_EQ(choice.candidate, nullptr);
    EXPECT_TRUE(choice.incapable);
    EXPECT_FALSE(choice.soonest);
}

// Vectors: rows that list the capability, or what has the same vectors as a model that was named.
TEST_F(ChooserTest, EmbeddingsAndChatsKeepToTheirOwnModels) {
    Candidate vectors = Make("a");
    vectors.chats = false;
    vectors.embeds = vectors.listed_for_embeddings = true;
    Candidate says_nothing = Make("b");
    says_nothing.embeds = true;
    Candidate chats = Make("c");
    Use({vectors, says_nothing, chats});
    EXPECT_EQ(BestName(), "b");
    Wanted wanted;
    wanted.operation = Operation::kEmbeddings;
    EXPECT_EQ(BestName(wanted), "a");
    const std::vector<const Candidate*> tried = {&At(0)};
    wanted.tried = tried;
    const Choice choice = chooser_.Best(wanted, now_);
    EXPECT_EQ(choice.candidate, nullptr);
    EXPECT_TRUE(choice.incapable);
}

TEST_F(ChooserTest, OnlyTheSameModelHasTheSameVectors) {
    const auto with = [this](const char* name, const char* upstream, bool by_mock) {
        Candidate candidate = Make(name);
        auto row = std::make_shared<completion::ModelRecord>(*candidate.row);
        row->upstream_model = upstream;
        candidate.row = row;
        candidate.embeds = candidate.listed_for_embeddings = true;
        candidate.played_by_mock = by_mock;
        return candidate;
    };
    Use({with("named", "Embed-1", false), with("a", "embed-2", false), with("b", "EMBED-1", true),
         with("c", "embed-1", false), with("d", "embed-10", false)});
    Wanted wanted;
    wanted.operation = Operation::kEmbeddings;
    wanted.same_vectors_as = &At(0);
    const std::vector<const Candidate*> tried = {&At(0)};
    wanted.tried = tried;
    EXPECT_EQ(BestName(wanted), "c");
    const std::vector<const Candidate*> both = {&At(0), &At(3)};
    wanted.tried = both;
    EXPECT_EQ(BestName(wanted), "");
}

TEST_F(ChooserTest, MocksTakePartOnlyWhenAsked) {
    Candidate mock = Make("a");
    mock.played_by_mock = true;
    Use({mock, Make("b")});
    EXPECT_EQ(BestName(), "a");
    Wanted wanted;
    wanted.include_mock = false;
    EXPECT_EQ(BestName(wanted), "b");
}

TEST_F(ChooserTest, ARestingModelIsSkippedAndTheSoonestIsNamed) {
    Use({Make("a"), Make("b")});
    At(0).state->cooldown.CoolDown(now_, milliseconds(60000), *random_);
    EXPECT_EQ(BestName(), "b");
    At(1).state->cooldown.CoolDown(now_, milliseconds(30000), *random_);
    const Choice choice = chooser_.Best({}, now_);
    EXPECT_EQ(choice.candidate, nullptr);
    ASSERT_TRUE(choice.soonest);
    EXPECT_EQ(choice.soonest_candidate->row->name, "b");
    EXPECT_LE(*choice.soonest, milliseconds(30000));
    now_ += milliseconds(30001);
    EXPECT_EQ(BestName(), "b");
}

TEST_F(ChooserTest, AnOpenBreakerIsForcedOnlyWhenNothingElseIsLeft) {
    Use({Make("a"), Make("b")});
    for (int i = 0; i < 5; ++i) {
        At(0).state->breaker.Record(At(0).state->breaker.Acquire(now_),
                                    resilience::CircuitBreaker::Outcome::kFailure, now_);
    }
    EXPECT_EQ(BestName(), "b");
    const std::vector<const Candidate*> tried = {&At(1)};
    Wanted wanted;
    wanted.tried = tried;
    const Choice choice = chooser_.Best(wanted, now_);
    ASSERT_NE(choice.candidate, nullptr);
    EXPECT_EQ(choice.candidate->row->name, "a");
    EXPECT_TRUE(choice.forced);
}

TEST_F(ChooserTest, AfterTooLongAContextOnlyLargerWindowsCount) {
    Candidate small = Make("a");
    Candidate large = Make("b");
    auto row = std::make_shared<completion::ModelRecord>(*large.row);
    row->context_window = 100000;
    large.row = row;
    Use({small, large});
    Wanted wanted;
    wanted.window_over = 8000;
    EXPECT_EQ(BestName(wanted), "b");
    wanted.window_over = 100000;
    EXPECT_EQ(BestName(wanted), "");
}

TEST_F(ChooserTest, ANewTableReplacesTheOrder) {
    Use({Make("a"), Make("b")});
    EXPECT_EQ(BestName(), "a");
    Use({Make("z")});
    EXPECT_EQ(BestName(), "z");
    EXPECT_NE(table_->FindByName("z"), nullptr);
    EXPECT_EQ(table_->FindByName("a"), nullptr);
}

TEST_F(ChooserTest, SortsAnewWhenItFellFarBehind) {
    Use({Make("a"), Make("b")});
    Outcome(0, false, 10);
    for (std::size_t i = 0; i <= ChangeLog::kKept; ++i) Outcome(0, false, 10);
    EXPECT_EQ(BestName(), "b");
}

}  // namespace
}  // namespace aim::routing
