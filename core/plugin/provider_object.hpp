#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aim/abi/ext/embeddings.h"
#include "aim/abi/ext/models.h"
#include "aim/abi/provider.h"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/plugin/conduct.hpp"

namespace aim::plugin {

// The value of a setting that is not secret; nullopt when it has none.
using ProviderSettings = std::function<std::optional<std::string>(std::string_view name)>;
// Runs something on the loader thread, where providers have to be destroyed.
using ProviderDisposal = std::function<void(std::function<void()>)>;

// A plugin's provider object for one model row: what the `create` of one interface (its table) made
// of the row's settings. Sessions are begun on it from any thread at once; it is read-only for
// them. Keeps its plugin's generation alive.
template <typename Table>
class ProviderObject {
  public:
    using SettingLookup = ProviderSettings;
    using LoaderPost = ProviderDisposal;

    // Calls into the plugin; any thread. `generation` is held until the provider is destroyed. The
    // error is the plugin's own, its `field` the setting that is wrong. What the plugin does
    // against the rules, here or when the object is destroyed, is a strike against `conduct` (null:
    // nobody keeps it); one in quarantine is not called. `clock` outlives the object and `post`.
    static Result<std::shared_ptr<const ProviderObject>> Create(
        std::shared_ptr<const void> generation, const Table* table, std::string_view row_settings,
        const SettingLookup& settings, const Clock& clock, LoaderPost post, Conduct* conduct);

    ~ProviderObject();
    ProviderObject(const ProviderObject&) = delete;
    ProviderObject& operator=(const ProviderObject&) = delete;

    const Table& table() const { return *table_; }
    void* object() const { return object_; }

  private:
    ProviderObject(std::shared_ptr<const void> generation, const Table* table, void* object,
                   const Clock& clock, LoaderPost post, Conduct* conduct)
        : generation_(std::move(generation)),
          table_(table),
          object_(object),
          clock_(clock),
          post_(std::move(post)),
          conduct_(conduct) {}

    std::shared_ptr<const void> generation_;
    const Table* table_;
    void* object_;
    const Clock& clock_;
    LoaderPost post_;
    Conduct* conduct_;
};

using ChatProvider = ProviderObject<aim_chat>;
using EmbeddingsProvider = ProviderObject<aim_embeddings>;
using ModelsProvider = ProviderObject<aim_models>;

extern template class ProviderObject<aim_chat>;
extern template class ProviderObject<aim_embeddings>;
extern template class ProviderObject<aim_models>;

}  // namespace aim::plugin
