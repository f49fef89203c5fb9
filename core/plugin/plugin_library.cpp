#include "core/plugin/plugin_library.hpp"

#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <boost/dll/shared_library.hpp>
#include <dlfcn.h>

namespace aim::plugin {
namespace {

Refusal LoadRefusal(std::string_view reason) {
    const auto mentions = [reason](std::string_view text) {
        return reason.find(text) != std::string_view::npos;
    };
    if (mentions("failed to map segment")) {
        return {RefusalReason::kNoexecStaging,
                "the private copy cannot be mapped as code, the state folder is probably mounted "
                "noexec: set AIM_STATE_DIR "
                "to a folder on a file system mounted with exec"};
    }
    if (mentions("version `") && mentions("not found")) {
        return {RefusalReason::kNeedsNewerLibc,
                "the plugin needs a newer system library: " + Printable(reason, 400) +
                    "; build it on Debian 12"};
    }
    return {RefusalReason::kLoadFailed,
            "the dynamic loader refuses the file: " + Printable(reason, 400)};
}

}  // namespace

struct PluginLibrary::Handle {
    boost::dll::shared_library library;
};

PluginLibrary::PluginLibrary(std::unique_ptr<Handle> handle, aim_plugin_entry_fn entry)
    : handle_(std::move(handle)), entry_(entry) {}
PluginLibrary::PluginLibrary(PluginLibrary&&) noexcept = default;
PluginLibrary& PluginLibrary::operator=(PluginLibrary&&) noexcept = default;
PluginLibrary::~PluginLibrary() = default;

Checked<PluginLibrary> PluginLibrary::Load(const std::filesystem::path& path) {
    // Boost.DLL passes bits that it does not know on to dlopen.
    static constexpr auto kMode = static_cast<boost::dll::load_mode::type>(
        boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local | RTLD_NODELETE);
    try {
        auto handle = std::make_unique<Handle>();
        boost::dll::fs::error_code error;
        ::dlerror();
        handle->library.load(boost::dll::fs::path(path.native()), error, kMode);
        if (error) {
            // Boost's code says only that it failed; the loader's own words are still there.
            const char* const reason = ::dlerror();
            return tl::unexpected(LoadRefusal(reason != nullptr ? reason : error.message()));
        }
        if (!handle->library.has(AIM_ENTRY_SYMBOL)) {
            return Refuse(RefusalReason::kMissingEntry, "the file exports no " AIM_ENTRY_SYMBOL);
        }
        const auto entry = &handle->library.get<const aim_entry*(void)>(AIM_ENTRY_SYMBOL);
        return PluginLibrary(std::move(handle), entry);
    } catch (const std::exception& error) {
        return Refuse(RefusalReason::kLoadFailed,
                      std::string("the file cannot be loaded: ") + error.what());
    } catch (...) {
        return Refuse(RefusalReason::kLoadFailed, "an initialiser of the file threw");
    }
}

}  // namespace aim::plugin
