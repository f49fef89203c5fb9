#include "core/base/cancellation.hpp"

#include <memory>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace aim {
namespace {

using Reason = Cancellation::Reason;

TEST(Cancellation, TellsEveryListenerOnceAndKeepsTheFirstReason) {
    Cancellation cancellation;
    int first = 0;
    int second = 0;
    const Cancellation::Listener a(cancellation, [&] { ++first; });
    const Cancellation::Listener b(cancellation, [&] { ++second; });
    EXPECT_FALSE(cancellation.IsCancelled());
    cancellation.Cancel(Reason::kClientLeft);
    cancellation.Cancel(Reason::kDeadline);
    EXPECT_EQ(first, 1);
    EXPECT_EQ(second, 1);
    EXPECT_EQ(cancellation.reason(), Reason::kClientLeft);
}

TEST(Cancellation, DoesNotTellAListenerThatIsGone) {
    Cancellation cancellation;
    int calls = 0;
    std::optional<Cancellation::Listener> first;
    std::optional<Cancellation::Listener> middle;
    std::optional<Cancellation::Listener> last;
    first.emplace(cancellation, [&] { calls += 1; });
    middle.emplace(cancellation, [&] { calls += 10; });
    last.emplace(cancellation, [&] { calls += 100; });
    middle.reset();
    last.reset();
    cancellation.Cancel(Reason::kShutdown);
    EXPECT_EQ(calls, 1);
}

TEST(Cancellation, ACallbackMayDestroyItselfAndOthers) {
    Cancellation cancellation;
    std::vector<std::unique_ptr<Cancellation::Listener>> listeners;
    int calls = 0;
    for (int i = 0; i < 10; ++i) {
        listeners.push_back(std::make_unique<Cancellation::Listener>(cancellation, [&] {
            ++calls;
            listeners.clear();
        }));
    }
    cancellation.Cancel(Reason::kAborted);
    EXPECT_EQ(calls, 1);
    EXPECT_TRUE(listeners.empty());
}

TEST(Cancellation, AListenerThatComesLateOrOutlivesItIsHarmless) {
    auto cancellation = std::make_unique<Cancellation>();
    cancellation->Cancel(Reason::kDeadline);
    int calls = 0;
    const Cancellation::Listener late(*cancellation, [&] { ++calls; });
    EXPECT_EQ(calls, 0);
    cancellation->Cancel(Reason::kDeadline);
    EXPECT_EQ(calls, 0);
    cancellation.reset();  // the listener is destroyed after it
}

TEST(Cancellation, ACallbackMayAddAListener) {
    Cancellation cancellation;
    std::optional<Cancellation::Listener> added;
    int calls = 0;
    const Cancellation::Listener first(cancellation,
                                       [&] { added.emplace(cancellation, [&] { ++calls; }); });
    cancellation.Cancel(Reason::kClientLeft);
    // Added while the cancellation was being told: it hears it too, once.
    EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace aim
