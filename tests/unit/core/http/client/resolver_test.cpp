#include "core/http/client/resolver.hpp"

#include <future>
#include <mutex>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "core/http/client/dialer.hpp"

namespace aim::http::client {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::address;
using boost::asio::ip::make_address;

class SettableClock final : public Clock {
  public:
    MonotonicTime Now() const override {
        return MonotonicTime(std::chrono::nanoseconds(now_.load()));
    }
    WallTime WallNow() const override { return {}; }
    void Advance(std::chrono::nanoseconds by) { now_ += by.count(); }

  private:
    std::atomic<std::int64_t> now_{1'000'000'000'000};
};

class ResolverTest : public ::testing::Test {
  protected:
    void Make(Resolver::Options options = {}) {
        options.clock = &clock_;
        options.lookup = [this](const std::string& name) {
            const std::lock_guard lock(mutex_);
            ++lookups_;
            if (fail_) return Resolution{{}, "name server away"};
            (void)name;
            return Resolution{{make_address("192.0.2." + std::to_string(lookups_))}, {}};
        };
        resolver_ = std::make_unique<Resolver>(std::move(options));
    }

    void SetFailing(bool fail) {
        const std::lock_guard lock(mutex_);
        fail_ = fail;
    }
    int lookups() {
        const std::lock_guard lock(mutex_);
        return lookups_;
    }

    ResolutionPtr Ask(const std::string& name) {
        ResolutionPtr answer;
        const auto ticket = resolver_->Ask(name, loop_.get_executor(),
                                           [&](ResolutionPtr got) { answer = std::move(got); });
        loop_.restart();
        loop_.run_for(10s);
        return answer;
    }

    bool Eventually(const std::function<bool()>& condition) {
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            std::this_thread::yield();
        }
        return true;
    }

    SettableClock clock_;
    std::mutex mutex_;
    int lookups_ = 0;
    bool fail_ = false;
    boost::asio::io_context loop_{1};
    std::unique_ptr<Resolver> resolver_;
};

TEST_F(ResolverTest, NeedsNoLookUpForAddressesAndLocalhost) {
    Make();
    EXPECT_EQ(resolver_->TryNow("192.0.2.9")->addresses.front(), make_address("192.0.2.9"));
    EXPECT_EQ(resolver_->TryNow("::1")->addresses.front(), make_address("::1"));
    EXPECT_EQ(resolver_->TryNow("localhost")->addresses.front(), make_address("127.0.0.1"));
    EXPECT_EQ(resolver_->TryNow("name.test"), nullptr);
    EXPECT_EQ(lookups(), 0);
}

TEST_F(ResolverTest, RemembersAnAnswerAndRenewsItBehind) {
    Make();
    EXPECT_EQ(Ask("name.test")->addresses.front(), make_address("192.0.2.1"));
    clock_.Advance(29s);
    EXPECT_EQ(resolver_->TryNow("name.test")->addresses.front(), make_address("192.0.2.1"));
    EXPECT_EQ(lookups(), 1);
    clock_.Advance(2s);
    EXPECT_EQ(resolver_->TryNow("name.test")->addresses.front(), make_address("192.0.2.1"))
        << "given at once while it is renewed";
    EXPECT_TRUE(Eventually([&] {
        return resolver_->TryNow("name.test")->addresses.front() == make_address("192.0.2.2");
    }));
    clock_.Advance(61s);
    EXPECT_EQ(resolver_->TryNow("name.test"), nullptr) << "too old to be given unasked";
}

TEST_F(ResolverTest, AnOldAnswerServesWhileNamesCannotBeLookedUp) {
    Make();
    ASSERT_EQ(Ask("name.test")->addresses.size(), 1u);
    SetFailing(true);
    clock_.Advance(5min);
    EXPECT_EQ(Ask("name.test")->addresses.front(), make_address("192.0.2.1"));
    EXPECT_NE(resolver_->TryNow("name.test"), nullptr) << "not asked again for the negative time";
    clock_.Advance(6min);
    const auto answer = Ask("name.test");
    EXPECT_TRUE(answer->addresses.empty());
    EXPECT_EQ(answer->problem, "name server away");
}

TEST_F(ResolverTest, RemembersAFailureForAShortTime) {
    Make();
    SetFailing(true);
    EXPECT_TRUE(Ask("name.test")->addresses.empty());
    EXPECT_TRUE(resolver_->TryNow("name.test")->addresses.empty());
    clock_.Advance(3s);
    EXPECT_EQ(resolver_->TryNow("name.test"), nullptr);
    SetFailing(false);
    EXPECT_EQ(Ask("name.test")->addresses.size(), 1u);
}

TEST_F(ResolverTest, AsksOnceForManyAndForgetsWhoWentAway) {
    std::promise<void> go;
    const auto gate = go.get_future().share();
    Resolver::Options options;
    options.threads = 1;
    options.queue_limit = 1;
    std::atomic<int> started{0};
    options.lookup = [&](const std::string&) {
        ++started;
        gate.wait();
        return Resolution{{make_address("192.0.2.1")}, {}};
    };
    resolver_ = std::make_unique<Resolver>(options);
    int answers = 0;
    std::string refused;
    const auto count = [&](const ResolutionPtr&) { ++answers; };
    const auto first = resolver_->Ask("a.test", loop_.get_executor(), count);
    const auto second = resolver_->Ask("a.test", loop_.get_executor(), count);
    { const auto gone = resolver_->Ask("a.test", loop_.get_executor(), count); }
    ASSERT_TRUE(Eventually([&] { return started == 1; }));
    const auto queued = resolver_->Ask("b.test", loop_.get_executor(), count);
    const auto third = resolver_->Ask("c.test", loop_.get_executor(),
                                      [&](const ResolutionPtr& got) { refused = got->problem; });
    loop_.restart();
    loop_.run_one_for(10s);
    EXPECT_EQ(refused, "too many look-ups wait");
    EXPECT_EQ(resolver_->stats().refusals.load(), 1);
    go.set_value();
    loop_.restart();
    loop_.run_for(10s);
    EXPECT_EQ(answers, 3);
    EXPECT_EQ(started.load(), 2);
}

TEST_F(ResolverTest, ThrowingLookUpsAreFailures) {
    Resolver::Options options;
    options.lookup = [](const std::string&) -> Resolution {
        throw std::runtime_error("out of memory");
    };
    resolver_ = std::make_unique<Resolver>(options);
    EXPECT_TRUE(Ask("a.test")->addresses.empty());
}

TEST(InterleaveTest, FamiliesAlternateBeginningWithTheFirst) {
    const auto a = make_address("192.0.2.1");
    const auto b = make_address("192.0.2.2");
    const auto x = make_address("2001:db8::1");
    const auto y = make_address("2001:db8::2");
    EXPECT_EQ(Interleave({x, y, a, b}), (std::vector<address>{x, a, y, b}));
    EXPECT_EQ(Interleave({a, b, x}), (std::vector<address>{a, x, b}));
    EXPECT_EQ(Interleave({a}), (std::vector<address>{a}));
}

}  // namespace
}  // namespace aim::http::client
