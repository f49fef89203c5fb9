#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aim/abi/provider.h"
#include "core/base/result.hpp"
#include "core/base/uuid.hpp"

namespace aim::plugin {

// A plugin's provider object for one model row: what aim_chat.create made of the row's settings.
// Sessions are begun on it from any thread at once; it is read-only for them. Keeps its plugin's
// generation alive.
class ChatProvider {
  public:
    // The value of a setting that is not secret; nullopt when it has none.
    using SettingLookup = std::function<std::optional<std::string>(std::string_view name)>;
    // Runs something on the loader thread, where providers have to be destroyed.
    using LoaderPost = std::function<void(std::function<void()>)>;

    // Calls into the plugin; any thread. `generation` is held until the provider is destroyed. The
    // error is the plugin's own, its `field` the setting that is wrong.
    static Result<std::shared_ptr<const ChatProvider>> Create(
        std::shared_ptr<const void> generation, const aim_chat* table,
        std::string_view row_settings, const SettingLookup& settings, std::uint64_t now_unix_ms,
        LoaderPost post);

    ~ChatProvider();
    ChatProvider(const ChatProvider&) = delete;
    ChatProvider& operator=(const ChatProvider&) = delete;

    const aim_chat& table() const { return *table_; }
    void* object() const { return object_; }

  private:
    ChatProvider(std::shared_ptr<const void> generation, const aim_chat* table, void* object,
                 LoaderPost post)
        : generation_(std::move(generation)),
          table_(table),
          object_(object),
          post_(std::move(post)) {}

    std::shared_ptr<const void> generation_;
    const aim_chat* table_;
    void* object_;
    LoaderPost post_;
};

}  // namespace aim::plugin
