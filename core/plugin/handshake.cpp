#include "core/plugin/handshake.hpp"

#include <exception>
#include <string>

#include "aim/abi/version.h"

namespace aim::plugin {
namespace {

std::string AbiName(unsigned major, unsigned minor) {
    return std::to_string(major) + "." + std::to_string(minor);
}

const std::string& HostAbi() {
    static const std::string name = AbiName(AIM_ABI_MAJOR, AIM_ABI_MINOR);
    return name;
}

// struct_size and abi_major are the only members that every major has at these places.
std::optional<Refusal> CheckEntry(const aim_entry* entry) {
    if (entry == nullptr) {
        return Refusal{RefusalReason::kMissingEntry, AIM_ENTRY_SYMBOL
                       " returned null; expected the address of a static aim_entry"};
    }
    if (!AIM_HAS(entry, aim_entry, abi_major)) {
        return Refusal{RefusalReason::kMissingEntry, "the entry's struct_size is " +
                                                         std::to_string(entry->struct_size) +
                                                         ": set it to sizeof(aim_entry)"};
    }
    if (entry->abi_major != AIM_ABI_MAJOR) {
        return Refusal{RefusalReason::kAbiMajor,
                       "the plugin was built for ABI major " + std::to_string(entry->abi_major) +
                           ", this gateway has " + HostAbi() + ": build it with headers of major " +
                           std::to_string(AIM_ABI_MAJOR)};
    }
    if (!AIM_HAS(entry, aim_entry, get_interface)) {
        return Refusal{RefusalReason::kMissingEntry,
                       "the entry's struct_size is " + std::to_string(entry->struct_size) +
                           ", expected at least " + std::to_string(sizeof(aim_entry)) +
                           ": set it to sizeof(aim_entry)"};
    }
    if (entry->abi_minor_required > AIM_ABI_MINOR) {
        return Refusal{
            RefusalReason::kAbiMinor,
            "the plugin requires ABI " + AbiName(entry->abi_major, entry->abi_minor_required) +
                ", this gateway has " + HostAbi() + ": update the gateway, or require less"};
    }
    if (entry->init == nullptr || entry->deinit == nullptr || entry->get_interface == nullptr) {
        return Refusal{RefusalReason::kMissingEntry,
                       "the entry has an empty slot; init, deinit and get_interface are required"};
    }
    return std::nullopt;
}

std::optional<Refusal> CompareNote(const Introduction& introduction, const ManifestNote& note) {
    const auto differs = [](const char* what, const std::string& in_note,
                            const std::string& in_code) {
        return Refusal{RefusalReason::kManifestMismatch,
                       std::string("the file's note says ") + what + " " + Printable(in_note, 80) +
                           ", its code says " + Printable(in_code, 80) + ": make them equal"};
    };
    const std::string note_abi = AbiName(note.abi_major, note.abi_minor);
    const std::string entry_abi =
        AbiName(introduction.entry->abi_major, introduction.entry->abi_minor);
    if (note_abi != entry_abi) return differs("abi", note_abi, entry_abi);
    if (note.id != introduction.descriptor.id)
        return differs("id", note.id, introduction.descriptor.id);
    if (note.version != introduction.descriptor.version) {
        return differs("version", note.version, introduction.descriptor.version);
    }
    return std::nullopt;
}

bool HasAllSlots(const aim_session_functions* session) {
    return session != nullptr && AIM_HAS(session, aim_session_functions, end) &&
           session->next_request != nullptr && session->on_head != nullptr &&
           session->on_data != nullptr && session->on_end != nullptr &&
           session->on_wake != nullptr && session->end != nullptr;
}

template <typename Table>
bool HasAllSlots(const Table* table) {
    return AIM_HAS(table, Table, session) && table->create != nullptr &&
           table->destroy != nullptr && table->begin != nullptr && HasAllSlots(table->session);
}

Refusal BadInterface(const char* id) {
    return {RefusalReason::kBadInterface,
            std::string("the table of ") + id +
                " is too small or has an empty slot: set struct_size and every function"};
}

constexpr char kThrew[] = "an exception left a function of the plugin: catch it inside";

}  // namespace

Checked<Introduction> ReadIntroduction(aim_plugin_entry_fn entry,
                                       const std::optional<ManifestNote>& note) {
    try {
        Introduction introduction;
        introduction.entry = entry();
        if (auto refusal = CheckEntry(introduction.entry))
            return tl::unexpected(std::move(*refusal));
        const auto* const descriptor = static_cast<const aim_descriptor*>(
            introduction.entry->get_interface(AIM_DESCRIPTOR_ID));
        if (descriptor == nullptr) {
            return Refuse(RefusalReason::kManifestMissing,
                          "get_interface(\"" AIM_DESCRIPTOR_ID
                          "\") returned null; every plugin has a descriptor, also before init");
        }
        auto copy = CopyDescriptor(*descriptor);
        if (!copy) return tl::unexpected(std::move(copy.error()));
        introduction.descriptor = std::move(*copy);
        if (note) {
            if (auto refusal = CompareNote(introduction, *note))
                return tl::unexpected(std::move(*refusal));
        }
        return introduction;
    } catch (...) {
        return Refuse(RefusalReason::kProbeFailed, kThrew);
    }
}

std::optional<Refusal> InitPlugin(const aim_entry& entry, const aim_host& host) {
    try {
        const int32_t result = entry.init(&host);
        if (result == AIM_OK) return std::nullopt;
        return Refusal{RefusalReason::kInitFailed,
                       "the plugin's init returned " + std::to_string(result)};
    } catch (...) {
        return Refusal{RefusalReason::kInitFailed, kThrew};
    }
}

void DeinitPlugin(const aim_entry& entry) {
    try {
        entry.deinit();
    } catch (...) {  // the generation is over either way
    }
}

Checked<PluginInterfaces> ReadInterfaces(const aim_entry& entry) {
    try {
        PluginInterfaces interfaces;
        interfaces.chat = static_cast<const aim_chat*>(entry.get_interface(AIM_CHAT_ID));
        if (interfaces.chat != nullptr && !HasAllSlots(interfaces.chat))
            return tl::unexpected(BadInterface(AIM_CHAT_ID));
        interfaces.models = static_cast<const aim_models*>(entry.get_interface(AIM_MODELS_ID));
        if (interfaces.models != nullptr && !HasAllSlots(interfaces.models)) {
            return tl::unexpected(BadInterface(AIM_MODELS_ID));
        }
        interfaces.embeddings =
            static_cast<const aim_embeddings*>(entry.get_interface(AIM_EMBEDDINGS_ID));
        if (interfaces.embeddings != nullptr && !HasAllSlots(interfaces.embeddings))
            return tl::unexpected(BadInterface(AIM_EMBEDDINGS_ID));
        return interfaces;
    } catch (...) {
        return Refuse(RefusalReason::kBadInterface, kThrew);
    }
}

}  // namespace aim::plugin
