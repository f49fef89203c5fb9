#pragma once

#include <optional>
#include <string_view>

#include "core/base/clock.hpp"
#include "core/base/time_format.hpp"
#include "core/json/writer.hpp"

namespace aim::data_api {

// A member that is a time (RFC 3339, UTC) or null.
inline void WriteTime(json::Writer& writer, std::string_view key,
                      const std::optional<WallTime>& time) {
    writer.Key(key);
    if (time) {
        writer.String(FormatRfc3339(*time));
    } else {
        writer.Null();
    }
}

}  // namespace aim::data_api
