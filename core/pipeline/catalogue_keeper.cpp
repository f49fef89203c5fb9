#include "core/pipeline/catalogue_keeper.hpp"

#include <fstream>
#include <sstream>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/data_client/model_reader.hpp"

namespace aim::pipeline {
namespace {

constexpr std::chrono::milliseconds kCallTimeout{5000};

}  // namespace

CatalogueKeeper::CatalogueKeeper(Options options, data_client::DataApiClient& client,
                                 const plugin::PluginSetSource& plugins, TableBuilder builder,
                                 PipelineShared& shared)
    : options_(std::move(options)),
      client_(client),
      plugins_(plugins),
      builder_(std::move(builder)),
      shared_(shared),
      with_ciphertext_(options_.with_ciphertext) {}

void CatalogueKeeper::LoadCopy() {
    if (options_.copy.empty()) return;
    std::ifstream file(options_.copy, std::ios::binary);
    if (!file) return;
    std::stringstream text;
    text << file.rdbuf();
    std::size_t skipped = 0;
    auto models = data_client::ReadModels(text.str(), skipped);
    if (!models) {
        shared_.logger.Warning("catalogue_copy_unreadable",
                               "The copy of the catalogue on disk cannot be read; it is ignored",
                               {{"file", options_.copy.string()}});
        return;
    }
    Take(std::move(*models));
    const std::lock_guard lock(mutex_);
    status_.from_copy = true;
}

void CatalogueKeeper::SaveCopy(const std::string& body) {
    if (options_.copy.empty()) return;
    const std::filesystem::path temporary = options_.copy.string() + ".tmp";
    {
        std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
        file << body;
        if (!file.flush()) return;
    }
    std::error_code error;
    // It may hold encrypted keys: nobody else's business.
    std::filesystem::permissions(
        temporary, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, error);
    std::filesystem::rename(temporary, options_.copy, error);
}

Task<> CatalogueKeeper::Pause() {
    if (stopping_) co_return;
    const Executor executor = co_await boost::asio::this_coro::executor;
    PauseTimer timer(executor, options_.refresh);
    sleeping_ = &timer;
    boost::system::error_code error;
    co_await timer.async_wait(boost::asio::redirect_error(kUseTask, error));
    sleeping_ = nullptr;
}

void CatalogueKeeper::Stop() {
    stopping_ = true;
    Wake();
}

void CatalogueKeeper::Wake() {
    if (sleeping_ != nullptr) sleeping_->cancel();
}

Task<> CatalogueKeeper::Run() {
    while (!stopping_) {
        co_await Refresh();
        co_await Pause();
    }
}

Task<> CatalogueKeeper::Refresh() {
    std::string etag = etag_;
    auto answer = co_await client_.Models(std::move(etag), kCallTimeout, with_ciphertext_);
    if (!answer && GoesWithoutCiphertext(answer.error()))
        answer = co_await client_.Models(std::string(), kCallTimeout);
    if (!answer) {
        bool was_up = false;
        {
            const std::lock_guard lock(mutex_);
            was_up = status_.data_api_up || status_.problem.empty();
            status_.data_api_up = false;
            status_.problem = answer.error().message;
        }
        // The next one that answers may have a token.
        with_ciphertext_ = options_.with_ciphertext;
        if (was_up) {
            shared_.logger.Warning("data_api_away",
                                   "The data API does not answer; the last catalogue stays in use",
                                   {{"reason", answer.error().message}});
        }
        PublishIfChanged(false);
        co_return;
    }
    bool was_away = false;
    {
        const std::lock_guard lock(mutex_);
        was_away = !status_.problem.empty();
        status_.data_api_up = true;
        status_.problem.clear();
    }
    if (was_away) shared_.logger.Info("data_api_back", "The data API answers again");
    if (answer->not_modified) {
        PublishIfChanged(false);
        co_return;
    }
    etag_ = std::move(answer->etag);
    if (answer->skipped > 0) {
        shared_.logger.Warning("catalogue_rows_skipped", "Rows of the catalogue could not be read",
                               {{"rows", answer->skipped}});
    }
    Take(std::move(answer->models));
    {
        const std::lock_guard lock(mutex_);
        status_.from_copy = false;
    }
    SaveCopy(answer->body);
}

// A data API without a token has refused: the catalogue goes on without the keys.
bool CatalogueKeeper::GoesWithoutCiphertext(const Error& error) {
    if (!with_ciphertext_ || error.upstream_status != 403) return false;
    with_ciphertext_ = false;
    shared_.logger.Error("model_keys_refused",
                         "The data API gives no keys of models out: models with a key of their own "
                         "cannot be used",
                         {{"reason", error.message}});
    return true;
}

void CatalogueKeeper::Take(std::vector<completion::ModelRecord> models) {
    bool changed = models.size() != rows_.size();
    std::unordered_map<Uuid, ModelRecordPtr> known;
    for (const ModelRecordPtr& row : rows_) known.emplace(row->id, row);
    std::vector<ModelRecordPtr> rows;
    rows.reserve(models.size());
    for (completion::ModelRecord& model : models) {
        const auto old = known.find(model.id);
        changed |= old == known.end() || DiffersInShape(*old->second, model);
        rows.push_back(std::make_shared<const completion::ModelRecord>(std::move(model)));
    }
    rows_ = std::move(rows);
    for (const ModelRecordPtr& row : rows_) {
        shared_.states.ApplyRow(data_client::StoredRowOf(*row));
        if (row->last_check_at) shared_.states.Get(row->id)->last_check = *row->last_check_at;
    }
    PublishIfChanged(changed);
    NoteSuccesses();
    const std::lock_guard lock(mutex_);
    status_.loaded = true;
    status_.models = rows_.size();
}

void CatalogueKeeper::PublishIfChanged(bool rows_changed) {
    const std::uint64_t version = plugins_.version();
    if (!rows_changed && version == plugins_version_) return;
    plugins_version_ = version;
    const plugin::PluginSetPtr plugins = plugins_.Get();
    shared_.tables.Publish(builder_.Build(rows_, *plugins));
}

void CatalogueKeeper::NoteSuccesses() {
    const MonotonicTime now = shared_.clock.Now();
    const WallTime wall = shared_.clock.WallNow();
    for (const ModelRecordPtr& row : rows_) {
        if (!row->last_success_at) continue;
        const auto state = shared_.states.Get(row->id);
        state->breaker.NoteOutsideSuccess(*row->last_success_at, wall, now);
        state->cooldown.NoteOutsideSuccess(*row->last_success_at, wall, now);
    }
}

CatalogueKeeper::Status CatalogueKeeper::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

void CatalogueKeeper::OnBatchBegins(std::span<const rating::Delta> batch) {
    shared_.states.BeginDelivery(batch);
}

void CatalogueKeeper::OnBatchArrived(std::span<const rating::Delta> batch,
                                     std::span<const rating::StoredRow> rows) {
    shared_.states.Acknowledge(batch, rows);
}

}  // namespace aim::pipeline
