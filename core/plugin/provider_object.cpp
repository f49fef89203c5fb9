#include "core/plugin/provider_object.hpp"

#include <memory>
#include <utility>
#include <vector>

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
    const SettingLookup& settings, std::uint64_t now_unix_ms, LoaderPost post) {
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

    SessionSink sink;
    aim_call call{};
    call.struct_size = sizeof(aim_call);
    call.now_unix_ms = now_unix_ms;
    call.sink = sink.Open();
    void* object = nullptr;
    int32_t status = AIM_FAILED;
    try {
        status = table->create(&view.config, &call, &object);
    } catch (...) {
        sink.Close();
        return Fail(ErrorKind::kInternal, "the plugin threw out of create");
    }
    sink.Close();
    if (status != AIM_OK) {
        if (sink.has_error()) return Unexpected(sink.error());
        return Fail(ErrorKind::kInternal, "the plugin refused the row without saying why");
    }
    return std::shared_ptr<const ProviderObject>(
        new ProviderObject(std::move(generation), table, object, std::move(post)));
}

template <typename Table>
ProviderObject<Table>::~ProviderObject() {
    if (table_->destroy == nullptr) return;
    auto destroy = [generation = std::move(generation_), table = table_, object = object_] {
        try {
            table->destroy(object);
        } catch (...) {
            // Nothing can be done about a provider that cannot be destroyed; it stays.
            (void)generation;
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
