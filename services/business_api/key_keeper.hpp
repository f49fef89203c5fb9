#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>

#include <boost/asio/basic_waitable_timer.hpp>

#include "core/base/task.hpp"
#include "core/data_client/data_api_client.hpp"
#include "core/http/middleware/key_ring.hpp"
#include "core/telemetry/log.hpp"
#include "services/business_api/key_reader.hpp"

namespace aim::business_api {

// Keeps the table of the callers' keys true: asks the data API for their hashes every refresh
// interval (If-None-Match), publishes a new table when something has changed, and keeps a copy on
// disk (hashes only, for the owner only) from which a start without a data API is served. Tells the
// data API now and then which keys were used. Runs on the service loop.
class KeyKeeper {
  public:
    struct Options {
        std::chrono::milliseconds refresh{1000};
        std::filesystem::path copy;  // empty = none
        // Uses go out together, and no more often than this.
        std::chrono::milliseconds report_every{5000};
    };

    // All of these outlive the keeper, but for the ring, which is shared.
    KeyKeeper(Options options, data_client::DataApiClient& client,
              std::shared_ptr<http::KeyRing> ring, telemetry::Logger& logger);

    // Before Run(): takes the copy on disk over, when there is one. Blocks on the disk.
    void LoadCopy();

    Task<> Run();
    // On the loop. What was used last is still told.
    void Stop();

  private:
    Task<> Refresh();
    Task<> ReportUses();
    Task<> Pause();
    void SaveCopy(const std::string& body);

    using PauseTimer = boost::asio::basic_waitable_timer<
        std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

    const Options options_;
    data_client::DataApiClient& client_;
    const std::shared_ptr<http::KeyRing> ring_;
    telemetry::Logger& logger_;
    PauseTimer* sleeping_ = nullptr;
    bool stopping_ = false;
    bool fetched_ = false;       // the newest fetch succeeded
    bool refusal_said_ = false;  // the log says it once
    std::string etag_;
    KeyUses uses_;
    std::unordered_map<std::string, std::int64_t> reported_;
    std::chrono::steady_clock::time_point next_report_{};
};

}  // namespace aim::business_api
