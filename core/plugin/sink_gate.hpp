#pragma once

#include <atomic>
#include <cstdint>

#include <pthread.h>

#include "aim/abi/ext/embeddings.h"
#include "aim/abi/ext/models.h"
#include "aim/abi/sink.h"
#include "core/plugin/conduct.hpp"

namespace aim::plugin {

class SessionSink;

// What a plugin holds of its session's sink: the table, and a guard that lets a call through only
// while the host has opened it, and only on the thread that the host calls on. A gate is never
// freed and rests for a while before another session gets it, so that a plugin that kept the
// pointer hits a closed door and no freed memory.
class SinkGate {
  public:
    // A closed gate for this sink. The table is empty: the sink fills it in.
    static SinkGate& Acquire(SessionSink& sink, Conduct* conduct);
    // Gives it back, closed. On any thread.
    static void Release(SinkGate& gate);

    // The host's side, on the session's thread.
    void Open() { speaker_.store(Self(), std::memory_order_relaxed); }
    void Close() { speaker_.store(0, std::memory_order_relaxed); }
    aim_sink& table() { return table_; }
    // The tables of get_extension; as long-lived as the sink's own.
    aim_models_sink& models() { return models_; }
    aim_embeddings_sink& embeddings() { return embeddings_; }
    // Calls that were not let through while the session lived.
    std::uint32_t strays() const { return strays_.load(std::memory_order_relaxed); }

    // The plugin's side: the sink, or null when the caller may not speak now; that is counted.
    static SessionSink* Enter(void* context) {
        auto* gate = static_cast<SinkGate*>(context);
        if (gate->speaker_.load(std::memory_order_relaxed) == Self()) return gate->sink_;
        gate->Refuse();
        return nullptr;
    }

  private:
    friend class GatePool;
    SinkGate() = default;
    static std::uint64_t Self() { return static_cast<std::uint64_t>(::pthread_self()); }
    void Refuse();

    aim_sink table_{};
    aim_models_sink models_{};
    aim_embeddings_sink embeddings_{};
    std::atomic<std::uint64_t> speaker_{0};  // the thread that may speak; 0 = closed
    SessionSink* sink_ = nullptr;            // only read by that thread
    std::atomic<Conduct*> conduct_{nullptr};
    std::atomic<bool> in_use_{false};
    std::atomic<std::uint32_t> strays_{0};
};

}  // namespace aim::plugin
