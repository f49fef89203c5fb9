#include "services/business_api/key_keeper.hpp"

#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/base/time_format.hpp"
#include "core/json/writer.hpp"

namespace aim::business_api {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kCallTimeout{5000};
constexpr std::size_t kMostUses = 1000;  // of one report; what POST /keys/last-used takes

}  // namespace

KeyKeeper::KeyKeeper(Options options, data_client::DataApiClient& client,
                     std::shared_ptr<http::KeyRing> ring, telemetry::Logger& logger)
    : options_(std::move(options)), client_(client), ring_(std::move(ring)), logger_(logger) {}

void KeyKeeper::LoadCopy() {
    if (options_.copy.empty()) return;
    std::ifstream file(options_.copy, std::ios::binary);
    if (!file) return;
    std::stringstream text;
    text << file.rdbuf();
    std::size_t skipped = 0;
    auto table = ReadKeyTable(text.str(), uses_, skipped);
    if (!table) {
        logger_.Warning("key_copy_unreadable",
                        "The copy of the keys' hashes on disk cannot be read; it is ignored",
                        {{"file", options_.copy.string()}});
        return;
    }
    ring_->Publish(std::move(*table));
}

void KeyKeeper::SaveCopy(const std::string& body) {
    if (options_.copy.empty()) return;
    const fs::path temporary = options_.copy.string() + ".tmp";
    {
        std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
        file << body;
        if (!file.flush()) return;
    }
    std::error_code error;
    fs::permissions(temporary, fs::perms::owner_read | fs::perms::owner_write, error);
    fs::rename(temporary, options_.copy, error);
}

Task<> KeyKeeper::Pause() {
    if (stopping_) co_return;
    const Executor executor = co_await boost::asio::this_coro::executor;
    PauseTimer timer(executor, options_.refresh);
    sleeping_ = &timer;
    boost::system::error_code error;
    co_await timer.async_wait(boost::asio::redirect_error(kUseTask, error));
    sleeping_ = nullptr;
}

void KeyKeeper::Stop() {
    stopping_ = true;
    if (sleeping_ != nullptr) sleeping_->cancel();
}

Task<> KeyKeeper::Run() {
    while (!stopping_) {
        co_await Refresh();
        if (std::chrono::steady_clock::now() >= next_report_) co_await ReportUses();
        co_await Pause();
    }
    if (fetched_) co_await ReportUses();
}

Task<> KeyKeeper::Refresh() {
    std::string path = "/api/v1/keys/hashes";
    std::string etag = etag_;
    auto answer = co_await client_.GetIfChanged(std::move(path), std::move(etag), kCallTimeout);
    if (!answer) {
        // That the data API is away is for the catalogue to say, at the same time; a refusal is
        // ours.
        if (answer.error().kind == ErrorKind::kInvalidRequest &&
            !std::exchange(refusal_said_, true)) {
            logger_.Warning("keys_not_fetched",
                            "The data API does not give the keys' hashes; those known stay in use",
                            {{"reason", answer.error().message}});
        }
        fetched_ = false;
        co_return;
    }
    fetched_ = true;
    refusal_said_ = false;
    if (answer->not_modified) co_return;
    std::size_t skipped = 0;
    auto table = ReadKeyTable(answer->body, uses_, skipped);
    if (!table) {
        logger_.Warning("keys_unreadable", table.error().message);
        co_return;
    }
    if (skipped > 0) {
        logger_.Warning("keys_skipped", "Keys could not be read; they are not accepted",
                        {{"keys", skipped}});
    }
    ring_->Publish(std::move(*table));
    etag_ = std::move(answer->etag);
    SaveCopy(answer->body);
}

Task<> KeyKeeper::ReportUses() {
    next_report_ = std::chrono::steady_clock::now() + options_.report_every;
    std::erase_if(reported_, [this](const auto& entry) { return !uses_.contains(entry.first); });
    std::vector<std::pair<std::string, std::int64_t>> told;
    std::string body;
    json::Writer writer(body);
    writer.BeginObject().Key("keys").BeginArray();
    for (const auto& [id, use] : uses_) {
        const std::int64_t last = use->last_ms();
        const auto known = reported_.find(id);
        if (last == 0 || (known != reported_.end() && known->second == last)) continue;
        const WallTime time{std::chrono::milliseconds(last)};
        writer.BeginObject().Field("id", id).Field("last_used_at", FormatRfc3339(time)).EndObject();
        told.emplace_back(id, last);
        if (told.size() == kMostUses) break;
    }
    writer.EndArray().EndObject();
    if (told.empty()) co_return;
    std::string path = "/api/v1/keys/last-used";
    auto answer = co_await client_.Post(std::move(path), std::move(body), kCallTimeout);
    if (!answer) co_return;  // again with the next report
    for (auto& [id, last] : told) reported_[id] = last;
}

}  // namespace aim::business_api
