#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.hpp"
#include "core/base/result.hpp"

namespace aim::telegram_bot {

// Replaces a file as one step (written beside it, renamed over it), mode 0600, so that a reader and
// the next start see the old content or the new one, never a half. Not forced to the disk: after a
// crash of the machine, Telegram's own memory of what was confirmed is the better one anyway.
Result<void> WriteAtomically(const std::filesystem::path& file, std::string_view content);

// Where the poller stands: the id of the next update that has not been seen. One thread.
class OffsetFile {
  public:
    explicit OffsetFile(std::filesystem::path file) : file_(std::move(file)) {}

    // 0 when there is none, it cannot be understood, or it is older than kOldest: Telegram then
    // numbers updates anew, and keeps none for so long.
    std::int64_t Load(WallTime now) const;
    Result<void> Save(std::int64_t offset, WallTime now) const;

    static constexpr std::chrono::hours kOldest{24 * 6};

  private:
    std::filesystem::path file_;
};

// The model that each chat has chosen, kept over restarts; at most kMostChats, the one that was set
// longest ago goes first. One thread.
class ModelChoices {
  public:
    explicit ModelChoices(std::filesystem::path file) : file_(std::move(file)) {}

    // What cannot be read is forgotten.
    void Load();

    std::string_view Get(std::int64_t chat_id) const;  // empty: automatic
    Result<void> Set(std::int64_t chat_id, std::string model);
    Result<void> Move(std::int64_t from, std::int64_t to);
    Result<void> Forget(std::int64_t chat_id) { return Set(chat_id, {}); }
    std::size_t size() const { return choices_.size(); }

    static constexpr std::size_t kMostChats = 10'000;

  private:
    struct Choice {
        std::string model;
        std::uint64_t order = 0;
    };
    Result<void> Save() const;

    std::filesystem::path file_;
    std::map<std::int64_t, Choice> choices_;
    std::uint64_t next_order_ = 0;
};

}  // namespace aim::telegram_bot
