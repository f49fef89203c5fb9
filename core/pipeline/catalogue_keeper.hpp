#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>

#include "core/base/task.hpp"
#include "core/data_client/data_api_client.hpp"
#include "core/ledger/delivery.hpp"
#include "core/pipeline/completion_service.hpp"
#include "core/pipeline/table_builder.hpp"
#include "core/plugin/plugin_set.hpp"

namespace aim::pipeline {

// Keeps the routing table true: asks the data API for the models every refresh interval
// (If-None-Match), joins them with the plugins that serve now, publishes a new table when something
// but counters has changed, and keeps a copy on disk from which a start without a data API is
// served. Runs on the service loop; status() from any thread. Also tells the live rating what the
// ledger has delivered.
class CatalogueKeeper final : public ledger::DeliveryListener {
  public:
    struct Options {
        std::chrono::milliseconds refresh{1000};
        std::filesystem::path copy;  // empty = none
        // Ask for the rows' own keys, encrypted: needs a service token on both sides.
        bool with_ciphertext = false;
    };
    struct Status {
        bool loaded = false;       // there is a catalogue, from wherever
        bool from_copy = false;    // it is the one from disk
        bool data_api_up = false;  // the newest refresh succeeded
        std::size_t models = 0;
        std::string problem;  // why the newest refresh failed
    };

    CatalogueKeeper(Options options, data_client::DataApiClient& client,
                    const plugin::PluginSetSource& plugins, TableBuilder builder,
                    PipelineShared& shared);

    // Before Run(): takes the copy on disk over, when there is one. Blocks on the disk.
    void LoadCopy();

    Task<> Run();
    void Stop();
    // Refresh now (on the loop).
    void Wake();

    Status status() const;

    void OnBatchBegins(std::span<const rating::Delta> batch) override;
    void OnBatchArrived(std::span<const rating::Delta> batch,
                        std::span<const rating::StoredRow> rows) override;

  private:
    Task<> Refresh();
    bool GoesWithoutCiphertext(const Error& error);
    Task<> Pause();
    void Take(std::vector<completion::ModelRecord> models);
    void PublishIfChanged(bool rows_changed);
    void NoteSuccesses();
    void SaveCopy(const std::string& body);

    Options options_;
    data_client::DataApiClient& client_;
    const plugin::PluginSetSource& plugins_;
    TableBuilder builder_;
    PipelineShared& shared_;

    using PauseTimer = boost::asio::basic_waitable_timer<
        std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;
    PauseTimer* sleeping_ = nullptr;
    bool stopping_ = false;
    bool with_ciphertext_;
    std::string etag_;
    std::vector<ModelRecordPtr> rows_;
    std::uint64_t plugins_version_ = ~std::uint64_t{0};
    mutable std::mutex mutex_;
    Status status_;  // guarded by mutex_
};

}  // namespace aim::pipeline
