#include "core/plugin/sink_gate.hpp"

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace aim::plugin {

// The gates that rest. One pool a thread, so that a session pays no lock; what a thread leaves
// behind goes to the others.
class GatePool {
  public:
    static GatePool& OfThisThread() {
        static thread_local GatePool pool;
        return pool;
    }
    ~GatePool() {
        Shared& shared = SharedGates();
        const std::lock_guard lock(shared.mutex);
        shared.left_behind.insert(shared.left_behind.end(), resting_.begin(), resting_.end());
    }

    SinkGate& Take() {
        if (resting_.size() > kRest) {
            SinkGate& gate = *resting_.front();
            resting_.pop_front();
            return gate;
        }
        Shared& shared = SharedGates();
        const std::lock_guard lock(shared.mutex);
        if (shared.left_behind.size() > kRest) {
            SinkGate& gate = *shared.left_behind.front();
            shared.left_behind.pop_front();
            return gate;
        }
        return *shared.all.emplace_back(std::unique_ptr<SinkGate>(new SinkGate()));
    }

    void Put(SinkGate& gate) { resting_.push_back(&gate); }

  private:
    // How many sessions of a thread end before a gate is used again.
    static constexpr std::size_t kRest = 256;

    struct Shared {
        std::mutex mutex;
        std::vector<std::unique_ptr<SinkGate>> all;
        std::deque<SinkGate*> left_behind;
    };
    static Shared& SharedGates() {
        static auto& shared = *new Shared();  // never freed, like the gates in it
        return shared;
    }

    std::deque<SinkGate*> resting_;
};

SinkGate& SinkGate::Acquire(SessionSink& sink, Conduct* conduct) {
    SinkGate& gate = GatePool::OfThisThread().Take();
    gate.sink_ = &sink;
    gate.strays_.store(0, std::memory_order_relaxed);
    gate.conduct_.store(conduct, std::memory_order_relaxed);
    gate.in_use_.store(true, std::memory_order_relaxed);
    return gate;
}

void SinkGate::Release(SinkGate& gate) {
    gate.Close();
    gate.in_use_.store(false, std::memory_order_relaxed);
    GatePool::OfThisThread().Put(gate);
}

void SinkGate::Refuse() {
    strays_.fetch_add(1, std::memory_order_relaxed);
    Conduct* const conduct = conduct_.load(std::memory_order_relaxed);
    if (conduct == nullptr) return;
    if (speaker_.load(std::memory_order_relaxed) != 0) {
        conduct->Count(Misbehaviour::kForeignThread,
                       "the sink was used from another thread than the call's");
    } else {
        conduct->Count(Misbehaviour::kLateOutput, "the sink was used outside of a call");
    }
    // While the session lives, it makes the strike when it ends.
    if (!in_use_.load(std::memory_order_relaxed)) conduct->Strike(SystemClock().Now());
}

}  // namespace aim::plugin
