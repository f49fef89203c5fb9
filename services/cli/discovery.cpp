#include "services/cli/discovery.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "core/base/random.hpp"
#include "core/base/timer_queue.hpp"
#include "core/http/client/asio_client.hpp"
#include "core/pipeline/plugin_target.hpp"
#include "core/plugin/registry.hpp"
#include "services/cli/remote/remote.hpp"

namespace aim::cli {
namespace {

namespace fs = std::filesystem;
using pipeline::CandidateSlots;
using std::chrono::seconds;

constexpr seconds kWholeTime{60};
constexpr std::chrono::milliseconds kExaminationLimit{5000};
constexpr std::string_view kMock = "mock";

class SilentLogger final : public telemetry::Logger {
  public:
    SilentLogger() : Logger(telemetry::Level::kOff) {}

  private:
    void Write(telemetry::Level, std::string_view, std::string_view,
               std::span<const telemetry::Field>) override {}
};

// A folder that goes with the object.
class PrivateFolder {
  public:
    PrivateFolder() {
        std::string name = (fs::temp_directory_path() / "aimanager-XXXXXX").string();
        if (::mkdtemp(name.data()) != nullptr) path_ = name;
    }
    ~PrivateFolder() {
        std::error_code ignored;
        if (!path_.empty()) fs::remove_all(path_, ignored);
    }
    PrivateFolder(const PrivateFolder&) = delete;
    PrivateFolder& operator=(const PrivateFolder&) = delete;

    const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

// What the environment has of a plugin's settings.
struct Settings {
    std::map<std::string, std::string, std::less<>> values;  // those that are no secrets
    std::map<std::string, CandidateSlots::Slot, std::less<>> slots;
};

Result<Settings> ReadSettings(const plugin::Descriptor& descriptor,
                              const config::Environment& environment) {
    Settings settings;
    for (const plugin::SettingDescriptor& setting : descriptor.settings) {
        const auto given = environment.Get(setting.name);
        const std::string value = given ? std::string(*given) : setting.default_value;
        if (value.empty() && setting.required)
            return FailField(setting.name, setting.name + " is not set: " + setting.description);
        if (setting.secret && value == kMock)
            return FailField(setting.name, setting.name +
                                               " is the word mock: the provider can be asked with "
                                               "a real key only");
        if (!setting.secret && !value.empty()) settings.values[setting.name] = value;
        settings.slots[setting.name] = {SecretString(value), !setting.secret || value.empty(),
                                        setting.secret && !value.empty()};
    }
    return settings;
}

Error UnknownProvider(const std::string& name, const plugin::Registry& registry) {
    std::string message = "there is no plugin for the provider \"" + name + "\"";
    const std::string_view absent = registry.Snapshot()->WhyAbsent(name);
    if (!absent.empty()) message.append(": ").append(absent);
    std::string known;
    for (const plugin::GenerationPtr& generation : registry.Snapshot()->generations())
        known += (known.empty() ? "" : ", ") + generation->descriptor().id;
    message += known.empty() ? "; no plugin is loaded (PLUGIN_PATH)" : "; there are " + known;
    return FailField("PROVIDER", std::move(message)).value();
}

// The loop of this one question.
struct Engine {
    explicit Engine(http::client::ClientOptions options,
                    std::shared_ptr<const http::client::TlsContext> tls)
        : resolver(std::make_shared<http::client::Resolver>(http::client::Resolver::Options{})),
          client(std::make_unique<http::client::AsioClient>(loop, timers, resolver, std::move(tls),
                                                            std::move(options))) {}
    ~Engine() {
        client.reset();
        timers.Stop();
        loop.restart();
        loop.run_for(seconds(1));
    }
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    boost::asio::io_context loop{1};
    TimerQueue timers{loop};
    std::shared_ptr<http::client::Resolver> resolver;
    std::unique_ptr<http::client::AsioClient> client;
};

Result<std::unique_ptr<Engine>> MakeEngine(const config::Environment& environment) {
    http::client::ClientOptions options;
    auto proxy = http::client::ProxyOptions::FromEnvironment([&environment](const char* name) {
        return std::string(environment.Get(name).value_or(""));
    });
    if (!proxy) return Unexpected(std::move(proxy.error()));
    options.proxy = std::move(*proxy);
    auto tls = http::client::TlsContext::Create({});
    if (!tls) return Unexpected(std::move(tls.error()));
    return std::make_unique<Engine>(std::move(options), std::move(*tls));
}

Task<plugin::ProviderSession::Status> Play(plugin::ModelsSession& session) {
    using Status = plugin::ProviderSession::Status;
    completion::DeltaBatch batch;
    Status status = Status::kMore;
    while (status == Status::kMore) {
        status = co_await session.Next(batch);
        batch.Clear();
    }
    co_return status;
}

Result<std::vector<plugin::OfferedModel>> Ask(Engine& engine, plugin::ModelsSession::Target target,
                                              const CandidateSlots& slots) {
    Cancellation cancellation;
    bool interrupted = false;
    boost::asio::signal_set signals(engine.loop, SIGINT);
    signals.async_wait([&](const boost::system::error_code& error, int) {
        if (error) return;
        interrupted = true;
        cancellation.Cancel(Cancellation::Reason::kClientLeft);
    });
    TimerQueue::Timer deadline(
        engine.timers, [&cancellation] { cancellation.Cancel(Cancellation::Reason::kDeadline); });
    deadline.ArmAfter(kWholeTime);
    const auto random = MakeRandom();
    plugin::ModelsSession session(std::move(target), *engine.client, SystemClock(), random->Next(),
                                  cancellation);
    std::optional<plugin::ProviderSession::Status> status;
    std::exception_ptr failure;
    boost::asio::co_spawn(engine.loop, Play(session),
                          [&](std::exception_ptr thrown, plugin::ProviderSession::Status ended) {
                              failure = thrown;
                              status = ended;
                          });
    while (!status) {
        engine.loop.restart();
        engine.loop.run_one();
    }
    boost::system::error_code ignored;
    signals.cancel(ignored);
    if (failure) std::rethrow_exception(failure);
    if (*status == plugin::ProviderSession::Status::kDone) return session.TakeModels();
    Error error = session.error();
    slots.Redact(error.message);
    if (interrupted) {
        error.kind = ErrorKind::kCancelled;
        error.code = kInterrupted;
    } else if (cancellation.IsCancelled()) {
        error.kind = ErrorKind::kUpstreamTimeout;
        error.message = "the provider did not answer within 60 s";
    }
    return Unexpected(std::move(error));
}

}  // namespace

Result<Discovery> DiscoverModels(const DiscoveryOptions& options,
                                 const config::Environment& environment) {
    auto trust = plugin::TrustPolicy::Parse(environment.Get("PLUGIN_SHA256_ALLOW").value_or(""));
    if (!trust) return Unexpected(std::move(trust.error()));
    auto engine = MakeEngine(environment);
    if (!engine) return Unexpected(std::move(engine.error()));

    const PrivateFolder folder;
    plugin::RegistryOptions registry_options;
    registry_options.folders = options.plugin_folders;
    registry_options.state_dir = environment.Has("AIM_STATE_DIR")
                                     ? fs::path(*environment.Get("AIM_STATE_DIR"))
                                     : folder.path();
    registry_options.trust = std::move(*trust);
    SilentLogger log;
    plugin::RegistryObserver observer;
    plugin::Registry registry(std::move(registry_options),
                              std::make_unique<plugin::ServedProbe>(
                                  plugin::ServedProbe::DefaultProgram(), kExaminationLimit),
                              log, observer);
    registry.Start();
    const plugin::PluginSetPtr plugins = registry.Snapshot();
    const plugin::GenerationPtr* const found = plugins->Find(options.provider);
    if (found == nullptr) return Unexpected(UnknownProvider(options.provider, registry));
    const plugin::Generation& generation = **found;
    const plugin::Descriptor& descriptor = generation.descriptor();
    if (generation.models() == nullptr) {
        return FailField("PROVIDER",
                         "the plugin " + descriptor.id + " cannot list its provider's models");
    }
    auto settings = ReadSettings(descriptor, environment);
    if (!settings) return Unexpected(std::move(settings.error()));

    Discovery discovery;
    discovery.provider = descriptor.id;
    discovery.endpoint = options.endpoint.empty() ? descriptor.default_endpoint : options.endpoint;
    const plugin::ProviderSettings lookup =
        [&settings](std::string_view name) -> std::optional<std::string> {
        const auto value = settings->values.find(name);
        if (value == settings->values.end()) return std::nullopt;
        return value->second;
    };
    plugin::ModelsSession::Target target;
    auto provider = plugin::ModelsProvider::Create(
        *found, generation.models(), "{}", lookup, SystemClock(),
        [&registry](std::function<void()> task) { registry.PostToLoader(std::move(task)); },
        generation.conduct());
    if (!provider) return Unexpected(std::move(provider.error()));

    std::vector<std::string> more_hosts;
    const std::string listed(environment.Get("SECRET_HOSTS").value_or(""));
    for (std::size_t at = 0; at < listed.size();) {
        const std::size_t end = std::min(listed.find_first_of(", ", at), listed.size());
        if (end > at) more_hosts.push_back(listed.substr(at, end - at));
        at = end + 1;
    }
    const CandidateSlots slots(std::move(settings->slots),
                               http::client::HostPolicy(descriptor.hosts, more_hosts));
    target.provider = std::move(*provider);
    target.endpoint = discovery.endpoint;
    target.slots = &slots;
    auto models = Ask(**engine, std::move(target), slots);
    if (!models) {
        Error error = std::move(models.error());
        if (error.code != kInterrupted)
            error.message = descriptor.id + " at " + discovery.endpoint + ": " + error.message;
        return Unexpected(std::move(error));
    }
    discovery.models = std::move(*models);
    return discovery;
}

}  // namespace aim::cli
