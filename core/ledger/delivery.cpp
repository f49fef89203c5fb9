#include "core/ledger/delivery.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/data_client/model_reader.hpp"
#include "core/resilience/backoff.hpp"

namespace aim::ledger {
namespace {

constexpr std::chrono::milliseconds kCallTimeout{10000};
constexpr resilience::BackoffOptions kBackoff{std::chrono::milliseconds(200), 2.0,
                                              std::chrono::milliseconds(5000), 0.5};

std::string WriteBatch(std::span<const Journal::Entry> entries) {
    std::string body;
    std::size_t size = 64;
    for (const Journal::Entry& entry : entries) size += entry.record.json.size() + 1;
    body.reserve(size);
    for (const Record::Kind kind : {Record::Kind::kOutcome, Record::Kind::kHistory}) {
        body.append(kind == Record::Kind::kOutcome ? "{\"outcomes\":[" : "],\"history\":[");
        bool first = true;
        for (const Journal::Entry& entry : entries) {
            if (entry.record.kind != kind) continue;
            if (!first) body.push_back(',');
            first = false;
            body.append(entry.record.json);
        }
    }
    body.append("]}");
    return body;
}

std::vector<rating::Delta> DeltasOf(std::span<const Journal::Entry> entries) {
    std::map<Uuid, rating::Counters> sums;
    for (const Journal::Entry& entry : entries) {
        const Record& record = entry.record;
        if (entry.replayed || record.kind != Record::Kind::kOutcome || !record.counts) continue;
        sums[record.model] += rating::CountOutcome(record.success, record.response_time);
    }
    std::vector<rating::Delta> deltas;
    deltas.reserve(sums.size());
    for (const auto& [model, counters] : sums) deltas.push_back({model, counters});
    return deltas;
}

// The data API itself finds the batch wrong, and will find so again. Without its error code
// somebody in between has answered, or the address is another service's.
bool IsRefusal(const Error& error) {
    if (error.kind != ErrorKind::kInvalidRequest || error.code.empty()) return false;
    const int status = error.upstream_status;
    return status == 400 || status == 409 || status == 413 || status == 415 || status == 422;
}

}  // namespace

Delivery::Delivery(Journal& journal, data_client::DataApiClient& client, DeliveryListener& listener,
                   DeadLetters& dead_letters, telemetry::Logger& logger)
    : journal_(journal),
      client_(client),
      listener_(listener),
      dead_letters_(dead_letters),
      logger_(logger),
      random_(MakeRandom()) {}

void Delivery::Stop() {
    stopping_ = true;
    if (sleeping_ != nullptr) sleeping_->cancel();
}

void Delivery::Wake() {
    if (sleeping_ != nullptr && sleeping_until_woken_) sleeping_->cancel();
}

Task<> Delivery::Pause(std::chrono::milliseconds delay, bool until_woken) {
    if (stopping_) co_return;
    const Executor executor = co_await boost::asio::this_coro::executor;
    WakeTimer timer(executor, delay);
    sleeping_ = &timer;
    sleeping_until_woken_ = until_woken;
    boost::system::error_code error;
    co_await timer.async_wait(boost::asio::redirect_error(kUseTask, error));
    sleeping_ = nullptr;
}

Task<> Delivery::Run() {
    bool full_batch = false;
    // After Stop() what is there still goes out, as long as the data API answers; the rest stays in
    // the journal.
    while (!stopping_ || (journal_.has_unread() && !last_call_failed())) {
        if (!journal_.has_unread()) {
            co_await Pause(std::chrono::milliseconds(1000), true);
            continue;
        }
        // A little patience makes one transaction of many requests; a backlog goes at once.
        if (!full_batch) co_await Pause(kGather, false);
        auto entries = journal_.Take(kMaxRecords, kMaxBytes);
        full_batch = entries.size() >= kMaxRecords;
        if (!entries.empty()) co_await Deliver(std::move(entries));
    }
}

Task<> Delivery::Deliver(std::vector<Journal::Entry> entries) {
    const std::vector<rating::Delta> deltas = DeltasOf(entries);
    listener_.OnBatchBegins(deltas);
    stats_.in_flight.store(entries.size(), std::memory_order_relaxed);
    Answered answered;
    const bool done = co_await Send(entries, answered);
    stats_.in_flight.store(0, std::memory_order_relaxed);
    if (!done) co_return;
    listener_.OnBatchArrived(deltas, answered.rows);
    journal_.Acknowledge(entries);
}

Task<bool> Delivery::Send(Entries entries, Answered& answered) {
    for (int repetition = 1;; ++repetition) {
        std::string body = WriteBatch(entries);
        auto answer = co_await client_.PostLedger(std::move(body), kCallTimeout);
        const bool refused = !answer && IsRefusal(answer.error());
        last_call_failed_.store(!answer && !refused, std::memory_order_relaxed);
        if (answer) {
            NoteAnswer(entries, *answer, answered);
            co_return true;
        }
        if (refused && entries.size() == 1) {
            Bury(entries.front().record, answer.error().message);
            co_return true;
        }
        if (refused) {
            logger_.Warning("ledger_batch_refused",
                            "The data API refused a whole batch of the ledger; it is halved to "
                            "find the record that is to blame",
                            {{"records", entries.size()}, {"reason", answer.error().message}});
            const std::size_t half = entries.size() / 2;
            const Entries first = entries.first(half);
            const Entries second = entries.subspan(half);
            const bool first_done = co_await Send(first, answered);
            if (!first_done) co_return false;
            const bool second_done = co_await Send(second, answered);
            co_return second_done;
        }
        stats_.failed_calls.fetch_add(1, std::memory_order_relaxed);
        if (repetition == 1 || repetition % 20 == 0) {
            logger_.Warning("ledger_delivery_failed",
                            "The ledger could not be delivered; it will be tried again",
                            {{"reason", answer.error().message},
                             {"waiting_records", journal_.status().pending_records}});
        }
        if (stopping_) co_return false;
        const auto delay = resilience::BackoffDelay(kBackoff, repetition, *random_);
        co_await Pause(delay, false);
        if (stopping_) co_return false;
    }
}

void Delivery::NoteAnswer(Entries entries, const data_client::LedgerAnswer& answer,
                          Answered& answered) {
    for (const auto& model : answer.models)
        answered.rows.push_back(data_client::StoredRowOf(model));
    stats_.duplicates.fetch_add(
        static_cast<std::uint64_t>(std::max<std::int64_t>(answer.duplicates, 0)),
        std::memory_order_relaxed);
    std::size_t rejected = 0;
    for (const auto& refusal : answer.rejected) {
        const auto id = Uuid::Parse(refusal.id);
        const auto entry =
            std::find_if(entries.begin(), entries.end(),
                         [&](const Journal::Entry& sent) { return id && sent.record.id == *id; });
        if (entry == entries.end()) {
            logger_.Error("ledger_record_rejected",
                          "The data API refused a record of the ledger that was not sent so",
                          {{"record_id", refusal.id}, {"reason", refusal.reason}});
            continue;
        }
        ++rejected;
        Bury(entry->record, refusal.reason);
    }
    stats_.delivered.fetch_add(entries.size() - std::min(entries.size(), rejected),
                               std::memory_order_relaxed);
}

void Delivery::Bury(const Record& record, std::string_view reason) {
    stats_.rejected.fetch_add(1, std::memory_order_relaxed);
    const bool kept = dead_letters_.Add(record, reason, SystemClock().WallNow());
    logger_.Error("ledger_record_rejected",
                  kept ? "The data API refused a record of the ledger; it is in the dead letters"
                       : "The data API refused a record of the ledger; it could not be kept",
                  {{"record_id", record.id.ToString()}, {"reason", reason}});
}

}  // namespace aim::ledger
