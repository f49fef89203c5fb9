#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "core/plugin/conduct.hpp"
#include "core/plugin/descriptor.hpp"
#include "core/plugin/handshake.hpp"
#include "core/plugin/host_table.hpp"
#include "core/security/sha256.hpp"

namespace aim::plugin {

// One plugin file's content while it serves: the copied descriptor and the tables of its code. A
// session holds a shared_ptr<const Generation> from before begin() until after end(), a provider
// object until after destroy(); when the last is let go, on whatever thread, deinit runs on the
// loader thread. The code stays mapped for good. Immutable but for its conduct; thread-safe.
class Generation {
  public:
    struct Facts {
        std::uint64_t number = 0;    // counts up over all plugins of the process, from 1
        std::filesystem::path path;  // the operator's file, for messages
        security::Sha256Digest hash{};
        Descriptor descriptor;
        std::uint16_t abi_major = 0;
        std::uint16_t abi_minor = 0;
        const aim_entry* entry = nullptr;
        PluginInterfaces interfaces;
        std::shared_ptr<const HostTable> host;  // what init was given
        Conduct* conduct = nullptr;             // of this content; lives for ever
    };

    explicit Generation(Facts facts) : facts_(std::move(facts)) {}
    Generation(const Generation&) = delete;
    Generation& operator=(const Generation&) = delete;

    std::uint64_t number() const { return facts_.number; }
    const std::filesystem::path& path() const { return facts_.path; }
    const security::Sha256Digest& hash() const { return facts_.hash; }
    const Descriptor& descriptor() const { return facts_.descriptor; }
    std::uint16_t abi_major() const { return facts_.abi_major; }
    std::uint16_t abi_minor() const { return facts_.abi_minor; }

    // Null when the plugin does not have the interface; all slots are set otherwise.
    const aim_chat* chat() const { return facts_.interfaces.chat; }
    const aim_models* models() const { return facts_.interfaces.models; }
    const aim_embeddings* embeddings() const { return facts_.interfaces.embeddings; }

    // Any other interface, by the id of the ABI; null when the plugin does not have it. The caller
    // checks struct_size.
    const void* Interface(const char* id) const { return facts_.entry->get_interface(id); }

    // How this content behaves; a session is given it. Null for generations made by hand in tests.
    Conduct* conduct() const { return facts_.conduct; }

  private:
    const Facts facts_;
};

}  // namespace aim::plugin
