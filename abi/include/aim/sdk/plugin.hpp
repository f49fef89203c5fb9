// One macro makes a plugin of a descriptor and its provider classes: entry, tables and ELF note.
//
//   constexpr aim::sdk::Descriptor kDescriptor = {.display_name = "Acme", …};   // namespace scope
//   AIM_PLUGIN("acme", "1.0.0", kDescriptor, aim::sdk::Chat<AcmeProvider>)
//
// Id and version stand in the macro alone, so that note and descriptor cannot differ.
#ifndef AIM_SDK_PLUGIN_HPP
#define AIM_SDK_PLUGIN_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "aim/sdk/guard.hpp"
#include "aim/sdk/session.hpp"

namespace aim::sdk {

// An entry of Descriptor::settings. `flags` are AIM_SETTING_….
constexpr aim_setting Setting(std::string_view name, std::string_view description,
                              std::uint32_t flags = 0, std::string_view default_value = {}) {
    return {sizeof(aim_setting), flags, Str(name), Str(description), Str(default_value)};
}

inline constexpr std::size_t kMaxNames = 16;

// Who the plugin is and what it needs; descriptor.h explains every field. Lists end at the first
// empty entry. Must be constexpr and made of literals.
struct Descriptor {
    std::string_view display_name;
    std::string_view vendor;
    std::string_view default_endpoint = {};
    std::string_view aliases[kMaxNames] = {};
    aim_setting settings[kMaxNames] = {};  // made by Setting()
    std::string_view hosts[kMaxNames] = {};
    std::string_view capabilities[kMaxNames] = {};
    std::string_view row_settings_schema = {};
};

// The host's log, usable between init and deinit. Never log bodies or headers.
class Log final {
  public:
    static void Write(std::int32_t level, std::string_view text) {
        if (host_ != nullptr && host_->log_enabled(host_, level) != 0) {
            host_->log(host_, level, Str(text));
        }
    }
    static void SetHost(const aim_host* host) { host_ = host; }

  private:
    // Written on the load thread only, while no session exists.
    inline static const aim_host* host_ = nullptr;
};

namespace detail {

constexpr std::uint32_t Count(const std::string_view (&list)[kMaxNames]) {
    std::uint32_t count = 0;
    while (count < kMaxNames && !list[count].empty()) {
        ++count;
    }
    return count;
}

constexpr std::uint32_t Count(const aim_setting (&list)[kMaxNames]) {
    std::uint32_t count = 0;
    while (count < kMaxNames && list[count].struct_size != 0) {
        ++count;
    }
    return count;
}

template <const Descriptor& kData>
struct DescriptorTables {
    static aim_str Alias(std::uint32_t i) { return Str(kData.aliases[i % kMaxNames]); }
    static aim_str Host(std::uint32_t i) { return Str(kData.hosts[i % kMaxNames]); }
    static aim_str Capability(std::uint32_t i) { return Str(kData.capabilities[i % kMaxNames]); }

    static const aim_setting* SettingAt(std::uint32_t i) { return &kData.settings[i % kMaxNames]; }

    static constexpr aim_descriptor Make(std::string_view id, std::string_view version) {
        aim_descriptor made{};
        made.struct_size = sizeof(made);
        made.provider_id = Str(id);
        made.display_name = Str(kData.display_name);
        made.vendor = Str(kData.vendor);
        made.version = Str(version);
        made.default_endpoint = Str(kData.default_endpoint);
        made.alias_count = Count(kData.aliases);
        made.setting_count = Count(kData.settings);
        made.host_count = Count(kData.hosts);
        made.capability_count = Count(kData.capabilities);
        made.alias = &Alias;
        made.setting = &SettingAt;
        made.host = &Host;
        made.capability = &Capability;
        made.row_settings_schema = Str(kData.row_settings_schema);
        return made;
    }
};

inline Session& AsSession(void* session) { return *static_cast<Session*>(session); }

inline std::int32_t NextRequest(void* session, const aim_call* call,
                                const aim_http_builder* builder) {
    return Guard(call, [&](const Call& made) -> std::int32_t {
        HttpRequest request(builder);
        return AsSession(session).Next(made, request) && !made.Failed() ? AIM_OK : AIM_FAILED;
    });
}
inline std::int32_t OnHead(void* session, const aim_call* call, const aim_http_head* head) {
    return Guard(call, [&](const Call& made) {
        return static_cast<std::int32_t>(AsSession(session).Head(made, HttpHead(head)));
    });
}
inline std::int32_t OnData(void* session, const aim_call* call, const aim_http_data* data) {
    return Guard(call, [&](const Call& made) {
        return static_cast<std::int32_t>(AsSession(session).Data(made, HttpData(data)));
    });
}
inline std::int32_t OnEnd(void* session, const aim_call* call, std::int32_t how) {
    return Guard(call, [&](const Call& made) {
        // An ending that a later host invents is not a complete one.
        const bool known = how >= AIM_END_COMPLETE && how <= AIM_END_NOT_CONNECTED;
        const Ending ending = known ? static_cast<Ending>(how) : Ending::kMalformed;
        return static_cast<std::int32_t>(AsSession(session).End(made, ending));
    });
}
inline std::int32_t OnWake(void* session, const aim_call* call) {
    return Guard(call, [&](const Call& made) {
        return static_cast<std::int32_t>(AsSession(session).Wake(made));
    });
}
inline void End(void* session) {
    GuardVoid([&] { delete static_cast<Session*>(session); });
}

inline constexpr aim_session_functions kSessionFunctions = {
    sizeof(aim_session_functions), 0, &NextRequest, &OnHead, &OnData, &OnEnd, &OnWake, &End};

template <typename Provider>
std::int32_t Create(const aim_config* config, const aim_call* call, void** provider) {
    return Guard(call, [&](const Call& made) -> std::int32_t {
        std::unique_ptr<Provider> created = Provider::Create(made, Config(config));
        if (created == nullptr || made.Failed()) {
            return AIM_FAILED;
        }
        *provider = created.release();
        return AIM_OK;
    });
}

template <typename Provider>
void Destroy(void* provider) {
    GuardVoid([&] { delete static_cast<Provider*>(provider); });
}

inline std::int32_t StartSession(const Call& call, std::unique_ptr<Session> made, void** session) {
    if (made == nullptr || call.Failed()) {
        return AIM_STEP_FAILED;
    }
    const auto step = static_cast<std::int32_t>(made->Begin(call));
    if (step >= 0) {
        *session = made.release();
    }
    return step;
}

template <typename Provider>
std::int32_t BeginChat(void* provider, const aim_call* call, const aim_chat_request* request,
                       std::uint64_t seed, void** session) {
    return Guard(call, [&](const Call& made) {
        const Provider& maker = *static_cast<const Provider*>(provider);
        return StartSession(made, maker.Start(made, ChatRequest(request), seed), session);
    });
}

template <typename Provider>
std::int32_t BeginModels(void* provider, const aim_call* call, aim_str endpoint, std::uint64_t seed,
                         void** session) {
    return Guard(call, [&](const Call& made) {
        const Provider& maker = *static_cast<const Provider*>(provider);
        return StartSession(made, maker.Start(made, View(endpoint), seed), session);
    });
}

template <typename Provider>
std::int32_t BeginEmbeddings(void* provider, const aim_call* call,
                             const aim_embeddings_request* request, std::uint64_t seed,
                             void** session) {
    return Guard(call, [&](const Call& made) {
        const Provider& maker = *static_cast<const Provider*>(provider);
        return StartSession(made, maker.Start(made, EmbeddingsRequest(request), seed), session);
    });
}

inline std::int32_t Init(const aim_host* host) {
    Log::SetHost(host);
    return AIM_OK;
}
inline void Deinit() { Log::SetHost(nullptr); }

}  // namespace detail

// The interfaces that AIM_PLUGIN takes after the descriptor.
template <typename Provider>
struct Chat {
    static constexpr std::string_view kId = AIM_CHAT_ID;
    static constexpr aim_chat kTable = {sizeof(aim_chat),
                                        0,
                                        &detail::Create<Provider>,
                                        &detail::Destroy<Provider>,
                                        &detail::BeginChat<Provider>,
                                        &detail::kSessionFunctions};
};

template <typename Provider>
struct Models {
    static constexpr std::string_view kId = AIM_MODELS_ID;
    static constexpr aim_models kTable = {sizeof(aim_models),
                                          0,
                                          &detail::Create<Provider>,
                                          &detail::Destroy<Provider>,
                                          &detail::BeginModels<Provider>,
                                          &detail::kSessionFunctions};
};

template <typename Provider>
struct Embeddings {
    static constexpr std::string_view kId = AIM_EMBEDDINGS_ID;
    static constexpr aim_embeddings kTable = {sizeof(aim_embeddings),
                                              0,
                                              &detail::Create<Provider>,
                                              &detail::Destroy<Provider>,
                                              &detail::BeginEmbeddings<Provider>,
                                              &detail::kSessionFunctions};
};

template <typename... Interfaces>
const void* FindInterface(const aim_descriptor& descriptor, const char* id) {
    if (id == nullptr) {
        return nullptr;
    }
    const std::string_view wanted = id;
    if (wanted == AIM_DESCRIPTOR_ID) {
        return &descriptor;
    }
    const void* found = nullptr;
    ((wanted == Interfaces::kId ? static_cast<void>(found = &Interfaces::kTable)
                                : static_cast<void>(0)),
     ...);
    return found;
}

}  // namespace aim::sdk

// At namespace scope, outside of any namespace, once in a plugin.
#define AIM_PLUGIN(id, version, descriptor, ...)                                         \
    AIM_PLUGIN_NOTE(id, version);                                                        \
    namespace {                                                                          \
    constexpr aim_descriptor kAimDescriptor =                                            \
        ::aim::sdk::detail::DescriptorTables<descriptor>::Make(id, version);             \
    const void* AimGetInterface(const char* name) {                                      \
        return ::aim::sdk::FindInterface<__VA_ARGS__>(kAimDescriptor, name);             \
    }                                                                                    \
    constexpr aim_entry kAimEntry = {sizeof(aim_entry),                                  \
                                     AIM_ABI_MAJOR,                                      \
                                     AIM_ABI_MINOR,                                      \
                                     0,                                                  \
                                     {0, 0, 0},                                          \
                                     &::aim::sdk::detail::Init,                          \
                                     &::aim::sdk::detail::Deinit,                        \
                                     &AimGetInterface};                                  \
    }                                                                                    \
    extern "C" AIM_EXPORT const aim_entry* aim_plugin_entry(void) { return &kAimEntry; } \
    static_assert(true, "asks for the semicolon")

#endif  // AIM_SDK_PLUGIN_HPP
