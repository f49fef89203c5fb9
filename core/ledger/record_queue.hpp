#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "core/ledger/record.hpp"

namespace aim::ledger {

// Where an engine thread puts what it has to tell the ledger: at once, in memory, without waiting
// for anybody. Bounded in bytes: when the data API has been away for long, full() says so, and new
// prompts are refused before they cost anything (contract.md, ledger_full). Thread-safe.
class RecordQueue {
  public:
    explicit RecordQueue(std::size_t max_bytes) : max_bytes_(max_bytes) {}

    // Always takes the records: what was answered is written down, even a little over the limit.
    // Calls the listener when the queue was empty.
    void Append(std::vector<Record> records);

    // Room for at least one more prompt.
    bool full() const;

    // Up to `most` of the oldest records with at most `most_bytes` of JSON in all (at least one).
    std::vector<Record> Take(std::size_t most, std::size_t most_bytes);

    // Called, from Append's thread, when records came into an empty queue. Set before the engine
    // starts.
    void OnReady(std::function<void()> listener) { on_ready_ = std::move(listener); }

    std::size_t size() const;
    std::size_t bytes() const;

  private:
    const std::size_t max_bytes_;
    std::function<void()> on_ready_;
    mutable std::mutex mutex_;
    std::deque<Record> records_;
    std::size_t bytes_ = 0;
};

}  // namespace aim::ledger
