#include "core/ledger/delivery.hpp"

#include <algorithm>
#include <map>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/data_client/model_reader.hpp"
#include "core/resilience/backoff.hpp"

namespace aim::ledger {
namespace {

constexpr std::chrono::milliseconds kCallTimeout{10000};
constexpr resilience::BackoffOptions kBackoff{std::chrono::milliseconds(200), 2.0,
                                              std::chrono::milliseconds(5000), 0.5};

std::string WriteBatch(const std::vector<Record>& records) {
    std::string body;
    std::size_t size = 64;
    for (const Record& record : records) size += record.json.size() + 1;
    body.reserve(size);
    for (const Record::Kind kind : {Record::Kind::kOutcome, Record::Kind::kHistory}) {
        body.append(kind == Record::Kind::kOutcome ? "{\"outcomes\":[" : "],\"history\":[");
        bool first = true;
        for (const Record& record : records) {
            if (record.kind != kind) continue;
            if (!first) body.push_back(',');
            first = false;
            body.append(record.json);
        }
    }
    body.append("]}");
    return body;
}

std::vector<rating::Delta> DeltasOf(const std::vector<Record>& records) {
    std::map<Uuid, rating::Counters> sums;
    for (const Record& record : records) {
        if (record.kind != Record::Kind::kOutcome || !record.counts) continue;
        sums[record.model] += rating::CountOutcome(record.success, record.response_time);
    }
    std::vector<rating::Delta> deltas;
    deltas.reserve(sums.size());
    for (const auto& [model, counters] : sums) deltas.push_back({model, counters});
    return deltas;
}

}  // namespace

Delivery::Delivery(RecordQueue& queue, data_client::DataApiClient& client,
                   DeliveryListener& listener, telemetry::Logger& logger)
    : queue_(queue), client_(client), listener_(listener), logger_(logger), random_(MakeRandom()) {}

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
    while (!stopping_) {
        if (queue_.size() == 0) {
            co_await Pause(std::chrono::milliseconds(1000), true);
            continue;
        }
        // A little patience makes one transaction of many requests; a full batch goes at once.
        if (queue_.size() < kMaxRecords) co_await Pause(kGather, false);
        auto records = queue_.Take(kMaxRecords, kMaxBytes);
        if (!records.empty()) co_await Deliver(std::move(records));
    }
    // What came in before Stop() still goes out, as long as the data API answers.
    while (queue_.size() > 0 && !last_call_failed()) {
        auto records = queue_.Take(kMaxRecords, kMaxBytes);
        co_await Deliver(std::move(records));
    }
}

Task<> Delivery::Deliver(std::vector<Record> records) {
    const std::vector<rating::Delta> deltas = DeltasOf(records);
    listener_.OnBatchBegins(deltas);
    const std::string body = WriteBatch(records);
    stats_.in_flight.store(records.size(), std::memory_order_relaxed);
    for (int repetition = 1;; ++repetition) {
        std::string copy = body;
        auto answer = co_await client_.PostLedger(std::move(copy), kCallTimeout);
        if (answer) {
            last_call_failed_.store(false, std::memory_order_relaxed);
            std::vector<rating::StoredRow> rows;
            rows.reserve(answer->models.size());
            for (const auto& model : answer->models)
                rows.push_back(data_client::StoredRowOf(model));
            listener_.OnBatchArrived(deltas, rows);
            stats_.delivered.fetch_add(
                records.size() - std::min(records.size(), answer->rejected.size()),
                std::memory_order_relaxed);
            stats_.rejected.fetch_add(answer->rejected.size(), std::memory_order_relaxed);
            for (const auto& rejected : answer->rejected) {
                logger_.Error("ledger_record_rejected",
                              "The data API refused a record of the ledger",
                              {{"record_id", rejected.id}, {"reason", rejected.reason}});
            }
            break;
        }
        last_call_failed_.store(true, std::memory_order_relaxed);
        stats_.failed_calls.fetch_add(1, std::memory_order_relaxed);
        const bool refused = answer.error().kind == ErrorKind::kInvalidRequest &&
                             answer.error().upstream_status != 401 &&
                             answer.error().upstream_status != 403 &&
                             answer.error().upstream_status != 404;
        if (refused) {
            // Repeating what is refused as a whole would stop the ledger for ever.
            logger_.Error("ledger_batch_refused",
                          "The data API refused a whole batch of the ledger; it is dropped",
                          {{"records", records.size()}, {"reason", answer.error().message}});
            stats_.rejected.fetch_add(records.size(), std::memory_order_relaxed);
            listener_.OnBatchArrived(deltas, {});
            last_call_failed_.store(false, std::memory_order_relaxed);
            break;
        }
        if (repetition == 1 || repetition % 20 == 0) {
            logger_.Warning("ledger_delivery_failed",
                            "The ledger could not be delivered; it will be tried again",
                            {{"reason", answer.error().message},
                             {"waiting_records", queue_.size() + records.size()}});
        }
        if (stopping_) break;
        const auto delay = resilience::BackoffDelay(kBackoff, repetition, *random_);
        co_await Pause(delay, false);
    }
    stats_.in_flight.store(0, std::memory_order_relaxed);
}

}  // namespace aim::ledger
