#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>

#include "core/base/random.hpp"
#include "core/base/task.hpp"
#include "core/data_client/data_api_client.hpp"
#include "core/ledger/dead_letters.hpp"
#include "core/ledger/journal.hpp"
#include "core/rating/live_rating.hpp"
#include "core/telemetry/log.hpp"

namespace aim::ledger {

// Where deliveries are told to the live rating.
class DeliveryListener {
  public:
    virtual ~DeliveryListener() = default;
    virtual void OnBatchBegins(std::span<const rating::Delta> batch) = 0;
    virtual void OnBatchArrived(std::span<const rating::Delta> batch,
                                std::span<const rating::StoredRow> rows) = 0;
};

// Carries records from the journal to the data API in their order, in batches (at most 500 records
// or 4 MiB, at most 100 ms old), one batch at a time, each repeated until it is answered: the data
// API ignores ids that it has seen, so repeating is safe, after a restart too. A batch that is
// refused as a whole is halved until the record that is to blame stands alone; what the data API
// will never take goes to the dead letters. Records of an earlier process are delivered like all
// others, but the live rating is not told: it does not know them as pending. One loop's thread;
// stats() from any.
class Delivery {
  public:
    static constexpr std::size_t kMaxRecords = 500;
    static constexpr std::size_t kMaxBytes = 3'900'000;
    static constexpr std::chrono::milliseconds kGather{50};

    struct Stats {
        std::atomic<std::uint64_t> delivered{0};
        std::atomic<std::uint64_t> duplicates{0};  // of those, known to the data API before
        std::atomic<std::uint64_t> rejected{0};
        std::atomic<std::uint64_t> failed_calls{0};
        std::atomic<std::uint64_t> in_flight{0};
    };

    Delivery(Journal& journal, data_client::DataApiClient& client, DeliveryListener& listener,
             DeadLetters& dead_letters, telemetry::Logger& logger);

    // Delivers until Stop(); returns when the batch under way is over.
    Task<> Run();

    // No more batches after the one under way.
    void Stop();

    // Something is in the journal: call on the loop (Journal::OnReady posts it there).
    void Wake();

    const Stats& stats() const { return stats_; }
    bool last_call_failed() const { return last_call_failed_.load(std::memory_order_relaxed); }

  private:
    using Entries = std::span<const Journal::Entry>;
    using WakeTimer = boost::asio::basic_waitable_timer<
        std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

    // What the data API has said to parts of a batch.
    struct Answered {
        std::vector<rating::StoredRow> rows;
    };

    Task<> Pause(std::chrono::milliseconds delay, bool until_woken);
    Task<> Deliver(std::vector<Journal::Entry> entries);
    // False: stopped before there was an answer.
    Task<bool> Send(Entries entries, Answered& answered);
    void NoteAnswer(Entries entries, const data_client::LedgerAnswer& answer, Answered& answered);
    void Bury(const Record& record, std::string_view reason);

    Journal& journal_;
    data_client::DataApiClient& client_;
    DeliveryListener& listener_;
    DeadLetters& dead_letters_;
    telemetry::Logger& logger_;
    std::unique_ptr<Random> random_;
    WakeTimer* sleeping_ = nullptr;
    bool sleeping_until_woken_ = false;
    bool stopping_ = false;
    std::atomic<bool> last_call_failed_{false};
    Stats stats_;
};

}  // namespace aim::ledger
