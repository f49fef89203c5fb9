#include "core/ledger/record_queue.hpp"

#include <utility>

namespace aim::ledger {
namespace {

std::size_t Footprint(const Record& record) { return record.json.size() + sizeof(Record); }

}  // namespace

void RecordQueue::Append(std::vector<Record> records) {
    bool was_empty = false;
    {
        const std::lock_guard lock(mutex_);
        was_empty = records_.empty();
        for (Record& record : records) {
            bytes_ += Footprint(record);
            records_.push_back(std::move(record));
        }
    }
    if (was_empty && on_ready_) on_ready_();
}

bool RecordQueue::full() const {
    const std::lock_guard lock(mutex_);
    return bytes_ >= max_bytes_;
}

std::vector<Record> RecordQueue::Take(std::size_t most, std::size_t most_bytes) {
    const std::lock_guard lock(mutex_);
    std::vector<Record> taken;
    std::size_t json_bytes = 0;
    while (!records_.empty() && taken.size() < most) {
        Record& oldest = records_.front();
        if (!taken.empty() && json_bytes + oldest.json.size() > most_bytes) break;
        json_bytes += oldest.json.size() + 1;
        bytes_ -= Footprint(oldest);
        taken.push_back(std::move(oldest));
        records_.pop_front();
    }
    return taken;
}

std::size_t RecordQueue::size() const {
    const std::lock_guard lock(mutex_);
    return records_.size();
}

std::size_t RecordQueue::bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

}  // namespace aim::ledger
