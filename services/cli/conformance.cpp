#include "services/cli/conformance.hpp"

#include <string>

#include "services/cli/dry_session.hpp"

namespace aim::cli {
namespace {

plugin::Refusal Failed(const char* test, const std::string& what) {
    return {plugin::RefusalReason::kProbeFailed, std::string(test) + ": " + what};
}

std::optional<plugin::Refusal> UnknownInterfacesAreNull(const aim_entry& entry) {
    if (entry.get_interface("aim.nothing/1") != nullptr || entry.get_interface("") != nullptr) {
        return Failed("unknown-interface-is-null",
                      "get_interface must return null for an id that it does not know");
    }
    for (const char* id : {AIM_CHAT_ID "x", AIM_CHAT_ID " ", "aim.chat/", AIM_DESCRIPTOR_ID "0"}) {
        if (entry.get_interface(id) != nullptr) {
            return Failed(
                "interface-id-trailing-garbage",
                std::string("get_interface(\"") + id + "\") must be null: compare the whole id");
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<plugin::Refusal> RunSmokeTests(const plugin::Introduction& introduction,
                                             const plugin::PluginInterfaces& interfaces) {
    try {
        if (auto refusal = UnknownInterfacesAreNull(*introduction.entry)) return refusal;
        if (interfaces.chat != nullptr) {
            if (const std::string fault = RunDryChat(*interfaces.chat, introduction.descriptor);
                !fault.empty()) {
                return Failed("request-minimal", fault);
            }
        }
        return std::nullopt;
    } catch (...) {
        return Failed("no-exception-crosses",
                      "an exception left a function of the plugin: catch it inside");
    }
}

}  // namespace aim::cli
