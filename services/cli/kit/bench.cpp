#include "services/cli/kit/bench.hpp"

#include <cstdlib>

#include "aim/abi/version.h"
#include "core/plugin/abi_text.hpp"

namespace aim::cli::kit {
namespace {

// A value for a setting that the operator would give.
constexpr std::string_view kValue = "aimkit";

struct ConfigSource {
    const plugin::Descriptor* descriptor;
    HostMemory* memory;
};

int32_t FindSetting(const aim_config* config, aim_str name, aim_str* value) {
    const auto& source = *static_cast<const ConfigSource*>(config->impl);
    const std::string_view wanted(name.size == 0 ? "" : name.data, name.size);
    for (const plugin::SettingDescriptor& setting : source.descriptor->settings) {
        if (setting.name != wanted || setting.secret) continue;
        *value = plugin::Str(source.memory->Keep(
            setting.default_value.empty() ? kValue : std::string_view(setting.default_value)));
        return AIM_OK;
    }
    return AIM_FAILED;
}

}  // namespace

Bench* Bench::current_ = nullptr;

Bench::Bench(const Subject& subject) : subject_(subject) { current_ = this; }

Bench::~Bench() {
    Deinit();
    current_ = nullptr;
}

std::int32_t Bench::LogEnabled(const aim_host*, std::int32_t) { return 1; }

void Bench::Log(const aim_host*, std::int32_t, aim_str text) {
    if (current_ == nullptr || text.data == nullptr) return;
    const std::lock_guard lock(current_->mutex_);
    current_->logged_.append(text.data, static_cast<std::size_t>(text.size)).push_back('\n');
}

std::string Bench::Logged() const {
    const std::lock_guard lock(mutex_);
    return logged_;
}

std::string Bench::Load() {
    if (introduction_) return {};
    auto library = plugin::PluginLibrary::Load(subject_.staged);
    if (!library) return library.error().message;
    library_ = std::move(*library);
    auto introduction = plugin::ReadIntroduction(library_->entry(), subject_.note);
    if (!introduction) return introduction.error().message;
    introduction_ = std::move(*introduction);
    return {};
}

std::string Bench::Init() {
    if (initialised_) return {};
    if (std::string why = Load(); !why.empty()) return why;
    PlantCanaries(introduction_->descriptor);
    aim_host host{};
    host.abi_major = AIM_ABI_MAJOR;
    host.abi_minor = AIM_ABI_MINOR;
    host.name = plugin::Str("aimanager");
    host.version = plugin::Str("kit");
    host.log_enabled = &Bench::LogEnabled;
    host.log = &Bench::Log;
    host_memory_ = std::make_unique<HostMemory>(memory_);
    const aim_host* const table = host_memory_->Place(host);
    if (const auto refusal = plugin::InitPlugin(*introduction_->entry, *table))
        return refusal->message;
    initialised_ = true;
    const auto interfaces = plugin::ReadInterfaces(*introduction_->entry);
    if (!interfaces) return interfaces.error().message;
    interfaces_ = *interfaces;
    return {};
}

Bench::Creation Bench::Create(std::string_view row_settings, Recorder& recorder) {
    HostMemory memory(memory_);
    ConfigSource source{&introduction_->descriptor, &memory};
    aim_config config{};
    config.row_settings = plugin::Str(memory.Keep(row_settings));
    config.setting = &FindSetting;
    config.impl = &source;
    aim_call call{};
    call.now_unix_ms = 1'790'000'000'000;
    call.sink = recorder.Open(memory);
    Creation made;
    void* const untouched = &recorder;
    made.provider = untouched;
    made.result =
        interfaces_.chat->create(memory.Place(config), memory.Place(call), &made.provider);
    recorder.Close(made.result == AIM_OK ? AIM_STEP_CONTINUE : AIM_STEP_FAILED);
    made.touched = made.provider != untouched;
    if (!made.touched) made.provider = nullptr;
    return made;
}

std::string Bench::MakeProvider() {
    if (has_provider_) return {};
    if (std::string why = Init(); !why.empty()) return why;
    if (interfaces_.chat == nullptr) return "the plugin has no " AIM_CHAT_ID;
    Recorder recorder;
    const Creation made = Create(subject_.row_settings, recorder);
    if (made.result != AIM_OK) {
        return "create refused the row settings " + subject_.row_settings + ": " +
               recorder.error().message + " (give others with --settings JSON)";
    }
    provider_ = made.provider;
    has_provider_ = true;
    return {};
}

void Bench::Deinit() {
    if (has_provider_) interfaces_.chat->destroy(provider_);
    has_provider_ = false;
    provider_ = nullptr;
    if (initialised_) plugin::DeinitPlugin(*introduction_->entry);
    initialised_ = false;
}

std::string Bench::Endpoint() const {
    const std::string& own = introduction_->descriptor.default_endpoint;
    return own.empty() ? "https://kit.example/v1" : own;
}

Script Bench::MakeScript(const Prompt& prompt, const Answer& answer) const {
    Script script;
    script.prompt = &prompt;
    script.answer = answer;
    script.endpoint = Endpoint();
    script.memory = memory_;
    script.seed = subject_.seed;
    return script;
}

std::vector<const Sample*> Bench::Understood() {
    std::vector<const Sample*> understood;
    for (const Sample& sample : subject_.samples) {
        const auto run = Run(MakeScript(MinimalPrompt(sample.streamed), sample.answer));
        if (run->done() && !run->requests().empty()) understood.push_back(&sample);
    }
    return understood;
}

bool Bench::SendsRequests() {
    return !Run(MakeScript(MinimalPrompt(false)))->requests().empty() ||
           !Run(MakeScript(MinimalPrompt(true)))->requests().empty();
}

void PlantCanaries(const plugin::Descriptor& descriptor) {
    for (const plugin::SettingDescriptor& setting : descriptor.settings) {
        if (!setting.secret) continue;
        // Before the plugin runs, in a process of one thread.
        // NOLINTNEXTLINE(concurrency-mt-unsafe)
        ::setenv(setting.name.c_str(), Bench::kCanary.data(), 1);
    }
}

}  // namespace aim::cli::kit
