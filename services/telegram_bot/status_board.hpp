#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <utility>

namespace aim::telegram_bot {

// How the bot stands with the two that it needs, for /ready. Thread-safe.
class StatusBoard {
  public:
    struct Side {
        bool up = false;
        std::string detail = "not reached yet";
    };

    void SetTelegram(bool up, std::string detail) { Set(telegram_, up, std::move(detail)); }
    void SetBusinessApi(bool up, std::string detail) { Set(business_api_, up, std::move(detail)); }
    Side telegram() const { return Get(telegram_); }
    Side business_api() const { return Get(business_api_); }

    std::atomic<bool> draining{false};

  private:
    void Set(Side& side, bool up, std::string detail) {
        const std::lock_guard lock(mutex_);
        side = {up, std::move(detail)};
    }
    Side Get(const Side& side) const {
        const std::lock_guard lock(mutex_);
        return side;
    }

    mutable std::mutex mutex_;
    Side telegram_;
    Side business_api_;
};

}  // namespace aim::telegram_bot
