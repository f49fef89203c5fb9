#include "services/data_api/database/database_state.hpp"

#include <chrono>
#include <utility>

namespace aim::data_api::database {

void DatabaseState::MarkDown(std::string reason) {
    {
        const std::lock_guard lock(mutex_);
        up_.store(false, std::memory_order_release);
        trouble_ = true;
        reason_ = std::move(reason);
    }
    changed_.notify_all();
}

void DatabaseState::MarkUp() {
    const std::lock_guard lock(mutex_);
    reason_.clear();
    up_.store(true, std::memory_order_release);
}

std::string DatabaseState::reason() const {
    const std::lock_guard lock(mutex_);
    return reason_;
}

void DatabaseState::WaitForTrouble(std::chrono::milliseconds at_most) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, at_most, [this] { return trouble_ || stopped_.load(); });
    trouble_ = false;
}

void DatabaseState::Stop() {
    {
        const std::lock_guard lock(mutex_);
        stopped_.store(true);
    }
    changed_.notify_all();
}

}  // namespace aim::data_api::database
