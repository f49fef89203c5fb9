// Checks of the library as a whole: entry, descriptor, tables, and what loading and running it
// leave behind in the process.
#include <algorithm>
#include <clocale>
#include <csignal>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aim/abi/descriptor.h"
#include "aim/abi/entry.h"
#include "core/http/url.hpp"
#include "core/json/json.hpp"
#include "services/cli/kit/check.hpp"

extern char** environ;

namespace aim::cli::kit {
namespace {

std::optional<Finding> NeedLoaded(Bench& bench) {
    if (std::string why = bench.Load(); !why.empty()) return Fail(std::move(why));
    return std::nullopt;
}

const aim_entry& Entry(Bench& bench) { return *bench.introduction().entry; }

std::uint64_t CpuMs() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

Finding LoadTime(Bench& bench) {
    const std::uint64_t before = CpuMs();
    if (auto finding = NeedLoaded(bench)) return *finding;
    const std::uint64_t spent = CpuMs() - before;
    if (spent <= 100) return Pass();
    return Fail("loading and the descriptor took " + std::to_string(spent) +
                " ms of CPU time, at most 100 are allowed: no work in initialisers");
}

Finding EntryIsPure(Bench& bench) {
    if (auto finding = NeedLoaded(bench)) return *finding;
    auto library = plugin::PluginLibrary::Load(bench.subject().staged);
    if (!library) return Fail(library.error().message);
    const aim_entry before = Entry(bench);
    for (int i = 0; i < 3; ++i) {
        if (library->entry()() != &Entry(bench))
            return Fail(AIM_ENTRY_SYMBOL " returned another address the second time");
        const void* const descriptor = before.get_interface(AIM_DESCRIPTOR_ID);
        if (descriptor == nullptr || descriptor != before.get_interface(AIM_DESCRIPTOR_ID))
            return Fail("the descriptor moves: tables are static");
    }
    if (std::memcmp(&before, &Entry(bench), sizeof before) != 0)
        return Fail("the entry's table changes: it is immutable");
    return Pass();
}

Finding EntrySizeAndVersion(Bench& bench) {
    if (auto finding = NeedLoaded(bench)) return *finding;
    const aim_entry& entry = Entry(bench);
    if (entry.abi_minor_required > entry.abi_minor)
        return Fail("abi_minor_required " + std::to_string(entry.abi_minor_required) +
                    " is above abi_minor " + std::to_string(entry.abi_minor));
    for (const uint16_t word : entry.reserved) {
        if (word != 0) return Fail("a reserved member of the entry is not zero");
    }
    return Pass();
}

Finding UnknownInterface(Bench& bench) {
    if (auto finding = NeedLoaded(bench)) return *finding;
    for (const char* id : {"", "aim.nothing/1", "com.example.batch/1", "\xff\xfe", "aim"}) {
        if (Entry(bench).get_interface(id) != nullptr)
            return Fail(std::string("get_interface(\"") + id + "\") must be null");
    }
    const std::string endless(100'000, 'a');
    if (Entry(bench).get_interface(endless.c_str()) != nullptr)
        return Fail("get_interface must be null for an id of 100000 characters");
    return Pass();
}

Finding InterfaceIdIsWhole(Bench& bench) {
    if (auto finding = NeedLoaded(bench)) return *finding;
    for (const char* id :
         {AIM_CHAT_ID "x", AIM_CHAT_ID " ", "aim.chat/", "aim.chat", "AIM.CHAT/1", " aim.chat/1",
          "aim.chat/01", "aim.chat/2147483649", AIM_DESCRIPTOR_ID "0", AIM_MODELS_ID "\n"}) {
        if (Entry(bench).get_interface(id) != nullptr)
            return Fail(std::string("get_interface(\"") + id +
                        "\") must be null: compare the whole id");
    }
    return Pass();
}

Finding InterfacesAreStable(Bench& bench) {
    if (std::string why = bench.Init(); !why.empty()) return Fail(std::move(why));
    const aim_entry& entry = Entry(bench);
    for (const char* id : {AIM_DESCRIPTOR_ID, AIM_CHAT_ID, AIM_MODELS_ID}) {
        const void* const first = entry.get_interface(id);
        const void* elsewhere = nullptr;
        std::thread([&] { elsewhere = entry.get_interface(id); }).join();
        if (first != entry.get_interface(id) || first != elsewhere)
            return Fail(std::string("get_interface(\"") + id +
                        "\") gives another table each time: tables are static");
    }
    return Pass();
}

Finding TablesAreComplete(Bench& bench) {
    if (std::string why = bench.Init(); !why.empty()) return Fail(std::move(why));
    if (bench.chat() == nullptr) return Skip("the plugin has no " AIM_CHAT_ID);
    if (bench.chat()->reserved != 0 || bench.chat()->session->reserved != 0)
        return Fail("a reserved member of a table is not zero");
    return Pass();
}

Finding InitDeinitRepeat(Bench& bench) {
    for (int round = 0; round < 4; ++round) {
        if (std::string why = bench.Init(); !why.empty())
            return Fail("init number " + std::to_string(round + 1) + ": " + why);
        if (bench.chat() != nullptr && bench.MakeProvider().empty())
            bench.Run(bench.MakeScript(MinimalPrompt(false)));
        bench.Deinit();
    }
    return Pass();
}

Finding DescriptorStrings(Bench& bench) {
    if (auto finding = NeedLoaded(bench)) return *finding;  // the handshake checks every text
    const auto* const source =
        static_cast<const aim_descriptor*>(Entry(bench).get_interface(AIM_DESCRIPTOR_ID));
    const auto again = plugin::CopyDescriptor(*source);
    if (!again) return Fail(again.error().message);
    const plugin::Descriptor& first = bench.introduction().descriptor;
    if (again->id != first.id || again->aliases != first.aliases || again->hosts != first.hosts ||
        again->capabilities != first.capabilities || again->version != first.version)
        return Fail("the descriptor tells something else the second time: it is static");
    for (const std::string& word : first.capabilities) {
        const char* const known[] = {"stream", "tools", "json_schema", "vision", "embeddings"};
        if (std::find(std::begin(known), std::end(known), word) == std::end(known))
            return Fail("the capability \"" + word +
                        "\" is none of stream, tools, json_schema, vision, embeddings");
    }
    return Pass();
}

Finding DescriptorMatchesNote(Bench& bench) {
    if (!bench.subject().note) return Skip("the file has no AIM note");
    if (auto finding = NeedLoaded(bench)) return *finding;  // the handshake compares them
    return Pass();
}

bool Covers(const std::string& pattern, const std::string& host) {
    if (pattern.empty() || pattern[0] != '.') return pattern == host;
    return host.size() > pattern.size() &&
           host.compare(host.size() - pattern.size(), pattern.size(), pattern) == 0;
}

Finding SecretsHaveHosts(Bench& bench) {
    if (auto finding = NeedLoaded(bench)) return *finding;
    const plugin::Descriptor& descriptor = bench.introduction().descriptor;
    const bool has_secret =
        std::any_of(descriptor.settings.begin(), descriptor.settings.end(),
                    [](const plugin::SettingDescriptor& setting) { return setting.secret; });
    if (!has_secret) return Skip("the plugin has no secret");
    const auto url = http::Url::Parse(descriptor.default_endpoint);
    const bool stays_here =
        url && (url->host == "localhost" || url->host == "127.0.0.1" || url->host == "::1");
    if (descriptor.hosts.empty() && (descriptor.default_endpoint.empty() || stays_here))
        return Skip("without hosts its secrets go to this machine and SECRET_HOSTS only");
    if (descriptor.hosts.empty())
        return Fail("a secret needs the hosts that it may go to: fill in the descriptor's hosts");
    if (!url || stays_here) return Pass();
    for (const std::string& pattern : descriptor.hosts) {
        if (Covers(pattern, url->host)) return Pass();
    }
    return Fail("the default endpoint's host " + url->host +
                " is none of the descriptor's hosts, so no secret could be sent there");
}

Finding ConfigSchema(Bench& bench) {
    if (auto finding = NeedLoaded(bench)) return *finding;
    const std::string& schema = bench.introduction().descriptor.row_settings_schema;
    if (schema.empty()) return Skip("the plugin has no row settings of its own");
    const auto document = json::Parse(schema);
    if (!document) return Fail("row_settings_schema is no JSON: " + document.error().message);
    if (!document->root().IsObject()) return Fail("row_settings_schema is no JSON object");
    return Pass();
}

// NOLINTBEGIN(concurrency-mt-unsafe): the kit starts no thread while it looks
// What of a process a plugin could change.
struct ProcessState {
    std::string locale;
    std::string folder;
    mode_t mask = 0;
    std::vector<std::string> environment;
    std::map<int, void*> handlers;
    std::size_t threads = 0;
    std::size_t descriptors = 0;

    static std::size_t Count(const char* folder) {
        std::size_t count = 0;
        if (DIR* const open = ::opendir(folder)) {
            while (const dirent* entry = ::readdir(open)) count += entry->d_name[0] != '.';
            ::closedir(open);
        }
        return count;
    }
    static ProcessState Now() {
        ProcessState state;
        state.locale = std::setlocale(LC_ALL, nullptr);
        state.folder = std::filesystem::current_path();
        state.mask = ::umask(0);
        ::umask(state.mask);
        for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable)
            state.environment.emplace_back(*variable);
        std::sort(state.environment.begin(), state.environment.end());
        for (int number = 1; number < NSIG; ++number) {
            struct sigaction action {};
            if (::sigaction(number, nullptr, &action) == 0)
                state.handlers[number] = reinterpret_cast<void*>(action.sa_sigaction);
        }
        state.threads = Count("/proc/self/task");
        state.descriptors = Count("/proc/self/fd");
        return state;
    }
};

// NOLINTEND(concurrency-mt-unsafe)

void RunSomeSessions(Bench& bench) {
    if (bench.chat() == nullptr || !bench.MakeProvider().empty()) return;
    for (const Sample& sample : bench.subject().samples)
        bench.Run(bench.MakeScript(MinimalPrompt(sample.streamed), sample.answer));
}

Finding NoSideEffects(Bench& bench) {
    const ProcessState before = ProcessState::Now();
    if (auto finding = NeedLoaded(bench)) return *finding;
    PlantCanaries(bench.introduction().descriptor);
    const ProcessState planted = ProcessState::Now();
    if (std::string why = bench.Init(); !why.empty()) return Fail(std::move(why));
    RunSomeSessions(bench);
    bench.Deinit();
    const ProcessState after = ProcessState::Now();
    if (after.locale != before.locale) return Fail("the plugin changed the locale");
    if (after.folder != before.folder) return Fail("the plugin changed the working folder");
    if (after.mask != before.mask) return Fail("the plugin changed the file mode mask");
    if (after.environment != planted.environment) return Fail("the plugin changed the environment");
    for (const auto& [number, handler] : before.handlers) {
        if (after.handlers.at(number) != handler)
            return UnlessTolerated(
                bench.subject(),
                Fail("the plugin installed a handler for signal " + std::to_string(number)));
    }
    return Pass();
}

Finding NoThreadsOrFiles(Bench& bench) {
    const ProcessState before = ProcessState::Now();
    if (std::string why = bench.Init(); !why.empty()) return Fail(std::move(why));
    RunSomeSessions(bench);
    bench.Deinit();
    const ProcessState after = ProcessState::Now();
    if (after.threads > before.threads)
        return UnlessTolerated(
            bench.subject(),
            Fail("the plugin left " + std::to_string(after.threads - before.threads) +
                 " threads behind: it starts none"));
    if (after.descriptors > before.descriptors)
        return Fail("the plugin left " + std::to_string(after.descriptors - before.descriptors) +
                    " open files behind");
    return Pass();
}

// The standard streams of the child go to a file of no name while the plugin runs.
Finding StandardStreamsStaySilent(Bench& bench) {
    std::FILE* const file = std::tmpfile();
    if (file == nullptr) return Skip("no temporary file can be made");
    std::fflush(nullptr);
    const int out = ::dup(STDOUT_FILENO);
    const int error = ::dup(STDERR_FILENO);
    ::dup2(::fileno(file), STDOUT_FILENO);
    ::dup2(::fileno(file), STDERR_FILENO);
    std::string why = bench.Init();
    if (why.empty()) RunSomeSessions(bench);
    bench.Deinit();
    std::fflush(nullptr);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(error, STDERR_FILENO);
    ::close(out);
    ::close(error);
    char said[201] = {};
    std::rewind(file);
    const std::size_t size = std::fread(said, 1, sizeof(said) - 1, file);
    std::fclose(file);
    if (!why.empty()) return Fail(std::move(why));
    if (size == 0) return Pass();
    return Fail("the plugin wrote to a standard stream (\"" + plugin::Printable(said) +
                "\"): it logs through the host");
}

}  // namespace

const std::vector<Check>& LibraryChecks() {
    static const std::vector<Check> checks = {
        {"load-time-under-100ms", "Loading it and asking for its descriptor is quick.", &LoadTime},
        {"entry-pure-before-init", "Entry and descriptor are static and callable at any time.",
         &EntryIsPure},
        {"entry-size-and-version", "The entry's versions make sense, what is reserved is zero.",
         &EntrySizeAndVersion},
        {"unknown-interface-is-null", "An interface that it does not know is null.",
         &UnknownInterface},
        {"interface-id-trailing-garbage", "Interface ids are compared whole.", &InterfaceIdIsWhole},
        {"interface-tables-stable", "The same id gives the same table, on every thread.",
         &InterfacesAreStable},
        {"interface-tables-complete", "Tables have their size and every function.",
         &TablesAreComplete},
        {"init-deinit-repeat", "It can be initialised again after deinit.", &InitDeinitRepeat},
        {"descriptor-strings-utf8", "The descriptor's texts and lists are well-formed and stay.",
         &DescriptorStrings},
        {"descriptor-matches-manifest", "Note and descriptor tell the same.",
         &DescriptorMatchesNote},
        {"descriptor-secrets-have-hosts", "A secret has hosts, the default endpoint is one.",
         &SecretsHaveHosts},
        {"config-schema-is-valid-json", "The schema of the row's settings is a JSON object.",
         &ConfigSchema},
        {"no-process-side-effects",
         "Locale, folder, environment, mask and signal handlers stay as they were.",
         &NoSideEffects},
        {"no-threads-no-files", "It leaves no thread and no open file behind.", &NoThreadsOrFiles},
        {"standard-streams-silent", "It writes nothing to the standard streams.",
         &StandardStreamsStaySilent},
    };
    return checks;
}

}  // namespace aim::cli::kit
