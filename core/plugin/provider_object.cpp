#include "core/plugin/provider_object.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "core/plugin/call_timer.hpp"
#include "core/plugin/session_sink.hpp"

namespace aim::plugin {
namespace {

struct ConfigView {
    aim_config config{};
    const ProviderSettings* lookup = nullptr;
    std::vector<std::unique_ptr<std::string>> values;
};

int32_t LookUpSetting(const aim_config* config, aim_str name, aim_str* value) {
    try {
        auto& view = *const_cast<ConfigView*>(static_cast<const ConfigView*>(config->impl));
        auto found = (*view.lookup)(std::string_view(name.data, name.size));
        if (!found || value == nullptr) return AIM_FAILED;
        view.values.push_back(std::make_unique<std::string>(std::move(*found)));
        *value = {view.values.back()->data(), view.values.back()->size()};
        return AIM_OK;
    } catch (...) {
        return AIM_FAILED;
    }
}

}  // namespace

template <typename Table>
Result<std::shared_ptr<const ProviderObject<Table>>> ProviderObject<Table>::Create(
    std::shared_ptr<const void> generation, const Table* table, std::string_view row_settings,
    const SettingLookup& settings, const Clock& clock, LoaderPost post, Conduct* conduct) {
    if (table == nullptr || table->create == nullptr || table->begin == nullptr ||
        table->session == nullptr) {
        return Fail(ErrorKind::kInternal, "the plugin has no usable interface of this kind");
    }
    ConfigView view;
    view.lookup = &settings;
    view.config.struct_size = sizeof(aim_config);
    view.config.row_settings = {row_settings.data(), row_settings.size()};
    view.config.setting = &LookUpSetting;
    view.config.impl = &view;

    if (conduct != nullptr && conduct->quarantined())
        return Fail(ErrorKind::kInternal, "the plugin is in quarantine");
    SessionSink sink(0, conduct);
    aim_call call{};
    call.struct_size = sizeof(aim_call);
    call.now_unix_ms = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(clock.WallNow().time_since_epoch())
            .count());
    void* object = nullptr;
    int32_t status = AIM_FAILED;
    bool threw = false;
    call.sink = sink.Open();
    CallTimer timer(conduct, clock, row_settings.size());
    try {
        status = table->create(&view.config, &call, &object);
    } catch (...) {
        threw = true;
    }
    sink.Close();
    bool fault = timer.Judge() == CallVerdict::kBreach || sink.misbehaviour() > 0;
    Error error;
    error.kind = ErrorKind::kInternal;
    if (threw) {
        fault = true;
        error.message = "the plugin threw out of create";
        if (conduct != nullptr) conduct->Count(Misbehaviour::kException, error.message);
    } else if (status != AIM_OK && sink.has_error()) {
        error = sink.error();
    } else if (status != AIM_OK) {
        fault = true;
        error.message = "the plugin refused the row without saying why";
        if (conduct != nullptr) conduct->Count(Misbehaviour::kIllegalStep, error.message);
    }
    if (fault && conduct != nullptr) conduct->Strike(clock.Now());
    if (threw || status != AIM_OK) return Unexpected(std::move(error));
    return std::shared_ptr<const ProviderObject>(
        new ProviderObject(std::move(generation), table, object, clock, std::move(post), conduct));
}

template <typename Table>
ProviderObject<Table>::~ProviderObject() {
    if (table_->destroy == nullptr) return;
    auto destroy = [generation = std::move(generation_), table = table_, object = object_,
                    clock = &clock_, conduct = conduct_] {
        try {
            table->destroy(object);
        } catch (...) {
            // Nothing can be done about a provider that cannot be destroyed; it stays.
            if (conduct == nullptr) return;
            conduct->Count(Misbehaviour::kException, "the plugin threw out of destroy");
            conduct->Strike(clock->Now());
        }
    };
    if (post_) {
        post_(std::move(destroy));
    } else {
        destroy();
    }
}

template class ProviderObject<aim_chat>;
template class ProviderObject<aim_embeddings>;
template class ProviderObject<aim_models>;

}  // namespace aim::plugin
