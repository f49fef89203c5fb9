#pragma once

#include <cstdint>
#include <string_view>

#include "aim/abi/ext/embeddings.h"
#include "aim/abi/ext/models.h"

namespace aim::plugin {

// Takes what the sessions of an interface put out beside text (aim_sink.get_extension): models,
// vectors. One session's; called on the session's thread, while one of its functions runs.
class SinkExtension {
  public:
    virtual ~SinkExtension() = default;

    // The id that the plugin asks for.
    virtual std::string_view id() const = 0;

    // Each copies what it wants; a struct is whole (struct_size was looked at). Not empty: what the
    // plugin has done against the rules, as a literal; nothing was taken then.
    virtual std::string_view OnModel(const aim_model_info&) { return "models from this interface"; }
    virtual std::string_view OnEmbedding(std::uint32_t, const float*, std::uint64_t) {
        return "vectors from this interface";
    }
};

}  // namespace aim::plugin
