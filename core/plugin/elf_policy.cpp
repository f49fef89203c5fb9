#include "core/plugin/elf_policy.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <string_view>
#include <vector>

#include <link.h>

#include "aim/abi/entry.h"

namespace aim::plugin {
namespace {

// What a state machine over bytes may need. Everything else (TLS, HTTP, databases) is the host's
// work, and a second copy of such a library in the process is a known way to crash.
constexpr std::array<std::string_view, 9> kAllowedLibraries = {
    "libc.so.6",  "libm.so.6",  "libstdc++.so.6",       "libgcc_s.so.1",        "libpthread.so.0",
    "libdl.so.2", "librt.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

bool StartsWith(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

bool IsAllowedLibrary(std::string_view name) {
    if (std::find(kAllowedLibraries.begin(), kAllowedLibraries.end(), name) !=
        kAllowedLibraries.end())
        return true;
    // Only a sanitizer build of the host can load what was built with a shared sanitizer runtime.
    return kSanitized && (StartsWith(name, "libasan.so") || StartsWith(name, "libubsan.so") ||
                          StartsWith(name, "libtsan.so") || StartsWith(name, "libclang_rt."));
}

// abort() is not here: run-time libraries bring it, for bugs that have no way on.
bool EndsProcessOrThread(std::string_view name) {
    return name == "exit" || name == "_exit" || name == "_Exit" || name == "quick_exit" ||
           name == "pthread_exit" || name == "thrd_exit";
}

// Old linkers export the marks of a file's parts even when nobody asked.
bool IsLinkerMark(std::string_view name) {
    return name == "_init" || name == "_fini" || name == "_edata" || name == "_end" ||
           name == "__bss_start";
}

// "GLIBC_2.36" → family "GLIBC_", numbers {2, 36}; other names have no numbers.
std::pair<std::string, std::vector<int>> SplitVersion(std::string_view version) {
    const std::size_t digits = version.find_first_of("0123456789");
    std::pair<std::string, std::vector<int>> split;
    split.first = version.substr(0, digits);
    if (digits == std::string_view::npos) return split;
    const char* at = version.data() + digits;
    const char* const end = version.data() + version.size();
    while (at < end) {
        int number = 0;
        const auto parsed = std::from_chars(at, end, number);
        if (parsed.ec != std::errc()) break;
        split.second.push_back(number);
        at = parsed.ptr + 1;
    }
    return split;
}

std::string ReadFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file) return {};
    std::string bytes(static_cast<std::size_t>(std::max<std::streamoff>(file.tellg(), 0)), '\0');
    file.seekg(0);
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return file ? bytes : std::string();
}

}  // namespace

HostLibraries HostLibraries::OfThisProcess() {
    std::vector<std::string> paths;
    ::dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* list) {
            if (info->dlpi_name != nullptr && info->dlpi_name[0] == '/') {
                static_cast<std::vector<std::string>*>(list)->emplace_back(info->dlpi_name);
            }
            return 0;
        },
        &paths);
    std::map<std::string, std::set<std::string>> versions;
    for (const std::string& path : paths) {
        const std::string name = path.substr(path.rfind('/') + 1);
        if (std::find(kAllowedLibraries.begin(), kAllowedLibraries.end(), name) ==
            kAllowedLibraries.end())
            continue;
        const auto defined = ParseDefinedVersions(ReadFile(path));
        if (defined) versions[name].insert(defined->begin(), defined->end());
    }
    return HostLibraries(std::move(versions));
}

bool HostLibraries::MayHave(const std::string& library, const std::string& version) const {
    const auto found = versions_.find(library);
    return found == versions_.end() || found->second.count(version) != 0;
}

std::string HostLibraries::Highest(const std::string& library, const std::string& version) const {
    const auto found = versions_.find(library);
    if (found == versions_.end()) return {};
    const std::string family = SplitVersion(version).first;
    std::pair<std::vector<int>, std::string> best;
    for (const std::string& candidate : found->second) {
        auto split = SplitVersion(candidate);
        if (split.first == family) best = std::max(best, {std::move(split.second), candidate});
    }
    return best.second;
}

std::optional<Refusal> CheckElfPolicy(const ElfImage& image, const HostLibraries& host,
                                      bool allowed_by_name) {
    for (const std::string& library : image.needed) {
        if (IsAllowedLibrary(library)) continue;
        return Refusal{RefusalReason::kNeedsForbiddenLibrary,
                       "the plugin needs " + Printable(library) +
                           "; allowed are the C and C++ run-time libraries only: link other code "
                           "statically, the host does "
                           "the network, TLS and storage"};
    }
    for (const ElfNeededVersion& need : image.needed_versions) {
        if (host.MayHave(need.library, need.version)) continue;
        return Refusal{RefusalReason::kNeedsNewerLibc,
                       "the plugin needs " + Printable(need.version) + " of " +
                           Printable(need.library) + ", this host has up to " +
                           Printable(host.Highest(need.library, need.version)) +
                           ": build it on the oldest system it shall run on (Debian 12)"};
    }
    for (const ElfExport& symbol : image.exports) {
        if (symbol.unique) {
            return Refusal{RefusalReason::kUniqueSymbols,
                           "the plugin has the unique symbol " + Printable(symbol.name) +
                               ", which would be shared with other plugins: build with "
                               "-fno-gnu-unique and the version script"};
        }
    }
    bool has_entry = false;
    std::string extra;
    std::size_t extra_count = 0;
    for (const ElfExport& symbol : image.exports) {
        if (symbol.name == AIM_ENTRY_SYMBOL) {
            has_entry = true;
        } else if (!IsLinkerMark(symbol.name) && ++extra_count <= 3) {
            extra += (extra.empty() ? "" : ", ") + Printable(symbol.name, 80);
        }
    }
    if (!has_entry) {
        return Refusal{RefusalReason::kMissingEntry, "the file exports no " AIM_ENTRY_SYMBOL
                                                     ": a plugin defines it with AIM_EXPORT"};
    }
    if (extra_count > 0) {
        return Refusal{RefusalReason::kExtraExports,
                       "the plugin exports " + std::to_string(extra_count) +
                           " more than " AIM_ENTRY_SYMBOL " (" + extra +
                           "): link it with abi/cmake/plugin.map as version script"};
    }
    for (const std::string& name : image.imports) {
        if (allowed_by_name || !EndsProcessOrThread(name)) continue;
        return Refusal{RefusalReason::kForbiddenImport,
                       "the plugin calls " + Printable(name, 80) +
                           ", which would end the gateway or one of its threads: report a failure "
                           "with sink->error and AIM_STEP_FAILED instead"};
    }
    if (image.static_tls && !allowed_by_name) {
        return Refusal{RefusalReason::kStaticTls,
                       "the plugin uses static thread-local storage, of which a process has "
                       "little: build with "
                       "-ftls-model=global-dynamic, or name its hash in PLUGIN_SHA256_ALLOW"};
    }
    if (image.text_relocations) {
        return Refusal{RefusalReason::kTextRelocations,
                       "the plugin has text relocations: build it with -fPIC"};
    }
    return std::nullopt;
}

}  // namespace aim::plugin
