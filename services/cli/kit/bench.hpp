#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/plugin/elf_policy.hpp"
#include "core/plugin/handshake.hpp"
#include "core/plugin/plugin_library.hpp"
#include "services/cli/kit/samples.hpp"
#include "services/cli/kit/session_run.hpp"

namespace aim::cli::kit {

// What the suite knows of the file before any of its code runs, and how it shall be checked.
struct Subject {
    std::filesystem::path staged;
    plugin::ElfImage image;
    std::optional<plugin::ManifestNote> note;
    bool hash_allowed_by_name = false;  // in PLUGIN_SHA256_ALLOW: may use static TLS
    std::string row_settings = "{}";
    std::vector<Sample> samples;
    std::uint64_t seed = 1;
    int fuzz_rounds = 200;
};

// The place where one check has the plugin before it: loads it, plays the host, undoes everything.
// One object in a process, made and used in the check's own child.
class Bench {
  public:
    // Stands for the value of every secret, in the environment of the child: no plugin may ever say
    // it.
    static constexpr std::string_view kCanary = "aimkit-canary-4f6b1c";

    explicit Bench(const Subject& subject);
    ~Bench();
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    const Subject& subject() const { return subject_; }

    // Each does what it needs of the earlier ones, once. Empty, or a sentence that says why not.
    std::string Load();
    std::string Init();
    std::string MakeProvider();
    void Deinit();  // destroys the provider, too

    // After Load().
    const plugin::Introduction& introduction() const { return *introduction_; }
    // After Init(); null when the plugin has no chat.
    const aim_chat* chat() const { return interfaces_.chat; }
    // After MakeProvider().
    void* provider() const { return provider_; }

    // How the host's own table and the configuration look to the plugin; before Init().
    void set_memory(MemoryMode mode) { memory_ = mode; }

    // Makes a provider by hand: the result of create, the provider (null when it was left alone),
    // and what was said.
    struct Creation {
        std::int32_t result = AIM_FAILED;
        void* provider = nullptr;
        bool touched = false;
    };
    Creation Create(std::string_view row_settings, Recorder& recorder);

    // A script with the defaults of this plugin: its endpoint, this seed.
    Script MakeScript(const Prompt& prompt, const Answer& answer = {}) const;
    std::unique_ptr<SessionRun> Run(Script script) {
        return Play(*chat(), provider(), std::move(script));
    }
    // The row's endpoint that sessions are begun with.
    std::string Endpoint() const;

    // Samples that end in DONE with the minimal prompt of their kind. Empty for a plugin that sends
    // no request.
    std::vector<const Sample*> Understood();
    bool SendsRequests();

    // What the plugin logged.
    std::string Logged() const;

  private:
    static Bench* current_;
    static std::int32_t LogEnabled(const aim_host*, std::int32_t);
    static void Log(const aim_host*, std::int32_t, aim_str text);

    const Subject& subject_;
    MemoryMode memory_ = MemoryMode::kPlain;
    std::unique_ptr<HostMemory> host_memory_;  // of the host's table, which lives until the end
    std::optional<plugin::PluginLibrary> library_;
    std::optional<plugin::Introduction> introduction_;
    bool initialised_ = false;
    plugin::PluginInterfaces interfaces_;
    void* provider_ = nullptr;
    bool has_provider_ = false;
    mutable std::mutex mutex_;
    std::string logged_;
};

// The environment variables of the plugin's secrets, filled with the canary. Before Bench::Init().
void PlantCanaries(const plugin::Descriptor& descriptor);

}  // namespace aim::cli::kit
