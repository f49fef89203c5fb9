#include "core/runtime/model_runtime.hpp"

#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include <boost/asio/co_spawn.hpp>

namespace aim::runtime {
namespace {

constexpr std::chrono::milliseconds kProbeLimit{5000};
// How long the ledger has to go out when the process ends; the rest waits in its journal.
constexpr std::chrono::milliseconds kFlushLimit{5000};
constexpr std::uint64_t kMostDeadLetterBytes = std::uint64_t{16} << 20;

ledger::JournalOptions JournalOptionsOf(const Options& options) {
    ledger::JournalOptions journal;
    journal.folder = options.state_dir / "ledger";
    journal.fsync = options.ledger_fsync;
    journal.max_bytes = options.ledger_max_bytes;
    return journal;
}

plugin::RegistryOptions RegistryOptionsOf(const Options& options) {
    plugin::RegistryOptions registry;
    registry.folders = options.plugin_path;
    registry.state_dir = options.state_dir;
    registry.trust = options.trust;
    registry.host_version = AIM_VERSION;
    return registry;
}

}  // namespace

ModelRuntime::ModelRuntime(const Options& options, const config::Environment& environment,
                           telemetry::JsonLineLogger& logger, telemetry::Metrics& metrics)
    : options_(options),
      environment_(environment),
      logger_(logger),
      metrics_(metrics),
      pipeline_metrics_(metrics_),
      plugin_metrics_(metrics_,
                      [this] {
                          // New plugins play their models at once, not with the next refresh.
                          service_loops_[0].Post([this] {
                              if (catalogue_) catalogue_->Wake();
                          });
                      }),
      registry_(
          RegistryOptionsOf(options_),
          std::make_unique<plugin::ServedProbe>(plugin::ServedProbe::DefaultProgram(), kProbeLimit),
          logger_, plugin_metrics_),
      ledger_(JournalOptionsOf(options_), logger_),
      dead_letters_(options_.state_dir / "ledger" / "dead-letters.jsonl", kMostDeadLetterBytes),
      shared_{options_.pipeline, SystemClock(),     states_, tables_,
              ledger_,           pipeline_metrics_, logger_},
      service_loops_(1),
      watchdog_({}, logger_),
      resolver_(std::make_shared<http::client::Resolver>(http::client::Resolver::Options{})) {
    RegisterSecrets();
    watchdog_.Watch("service", service_loops_[0]);
    client_options_.proxy = options_.proxy;
    client_options_.pool.connections_per_origin = options_.upstream_connections_per_host;
    auto tls = http::client::TlsContext::Create({});
    if (tls) tls_ = std::move(*tls);
    MakeServices();
    AddMetrics();
}

ModelRuntime::~ModelRuntime() {
    Stop();
    // Providers are destroyed on the loader's thread: whoever holds some goes before the loader
    // does.
    delivery_.reset();
    catalogue_.reset();
    tables_.Publish(
        std::make_shared<const routing::RoutingTable>(std::vector<routing::Candidate>()));
    registry_.Stop();
}

// A second line of defence: whatever value a secret of the environment has, a log line shows *** in
// its place.
void ModelRuntime::RegisterSecrets() {
    logger_.RegisterSecret(options_.data_api_token);
    environment_.ForEach([this](std::string_view name, std::string_view value) {
        for (const char* word : {"KEY", "TOKEN", "SECRET", "PASSWORD"}) {
            if (name.find(word) != std::string_view::npos && value != "mock")
                logger_.RegisterSecret(SecretString(std::string(value)));
        }
    });
}

void ModelRuntime::MakeServices() {
    Loop& loop = service_loops_[0];
    http::client::ClientOptions direct = client_options_;
    direct.proxy = {};
    service_client_ = std::make_unique<http::client::AsioClient>(loop.context(), loop.timers(),
                                                                 resolver_, tls_, direct);
    data_api_ = std::make_unique<data_client::DataApiClient>(
        *service_client_, loop.timers(), options_.data_api, options_.data_api_token);
    pipeline::TableBuilder builder(
        {environment_, options_.secret_hosts, options_.pipeline.timeouts,
         [this](std::function<void()> task) { registry_.PostToLoader(std::move(task)); },
         options_.master_keys,
         [this](const SecretString& secret) { logger_.RegisterSecret(secret); }},
        states_, SystemClock(), logger_);
    catalogue_ = std::make_unique<pipeline::CatalogueKeeper>(
        pipeline::CatalogueKeeper::Options{
            options_.catalogue_refresh, options_.catalogue_copy,
            !options_.master_keys.empty() && !options_.data_api_token.empty()},
        *data_api_, registry_.source(), std::move(builder), shared_);
    delivery_ = std::make_unique<ledger::Delivery>(ledger_, *data_api_, *catalogue_, dead_letters_,
                                                   logger_);
    ledger_.OnReady([this] { service_loops_[0].Post([this] { delivery_->Wake(); }); });
    AddServiceTask([this] { return catalogue_->Run(); }, [this] { catalogue_->Stop(); });
    AddServiceTask([this] { return delivery_->Run(); }, [this] { delivery_->Stop(); });
}

void ModelRuntime::AddServiceTask(std::function<Task<>()> run, std::function<void()> stop) {
    service_tasks_.push_back({std::move(run), std::move(stop)});
}

Result<void> ModelRuntime::Start() {
    if (!tls_) return Fail(ErrorKind::kInternal, "TLS cannot be set up");
    std::error_code error;
    std::filesystem::create_directories(options_.state_dir, error);
    if (auto opened = ledger_.Open(); !opened) return opened;
    registry_.Start();
    catalogue_->LoadCopy();
    Loop& loop = service_loops_[0];
    tasks_running_ = static_cast<int>(service_tasks_.size());
    for (const ServiceTask& task : service_tasks_) {
        boost::asio::co_spawn(loop.executor(), task.run(),
                              [this](std::exception_ptr) { tasks_running_.fetch_sub(1); });
    }
    service_loops_.Start();
    started_ = true;
    return {};
}

void ModelRuntime::Stop() {
    watchdog_.Stop();
    if (!std::exchange(started_, false)) return;
    Loop& loop = service_loops_[0];
    loop.Post([this] {
        for (const ServiceTask& task : service_tasks_) task.stop();
    });
    const MonotonicTime deadline = SystemClock().Now() + kFlushLimit;
    while (tasks_running_.load() > 0 && SystemClock().Now() < deadline)
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    loop.Run([this] { service_client_->Stop(); });
    service_loops_.Stop();
    if (const auto left = ledger_.status().pending_records; left > 0) {
        logger_.Warning("ledger_kept",
                        "Records that the data API did not take wait in the ledger's journal for "
                        "the next start",
                        {{"records", left}});
    }
    ledger_.Close();
}

}  // namespace aim::runtime
