// Any bytes: the parser of plugin files, and what is concluded from it, answer and never read
// outside of the bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/plugin/elf_image.hpp"
#include "core/plugin/elf_policy.hpp"
#include "core/plugin/manifest_note.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace aim::plugin;
    static const HostLibraries host({{"libc.so.6", {"GLIBC_2.2.5", "GLIBC_2.36"}}});
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto image = ParseElf(bytes);
    if (image) {
        if (const auto refusal = CheckElfPolicy(*image, host, false);
            refusal && refusal->message.empty())
            std::abort();
        static_cast<void>(ReadManifestNote(*image));
    } else if (image.error().message.empty()) {
        std::abort();
    }
    static_cast<void>(ParseDefinedVersions(bytes));
    return 0;
}
