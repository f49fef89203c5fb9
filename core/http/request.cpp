#include "core/http/request.hpp"

#include <array>

namespace aim::http {
namespace {

// In the order of Method.
constexpr std::array<std::string_view, 8> kNames = {"GET",   "HEAD",   "POST",    "PUT",
                                                    "PATCH", "DELETE", "OPTIONS", "OTHER"};

}  // namespace

std::string_view MethodName(Method method) { return kNames.at(static_cast<std::size_t>(method)); }

Method ParseMethod(std::string_view name) {
    for (std::size_t i = 0; i + 1 < kNames.size(); ++i) {
        if (kNames[i] == name) return static_cast<Method>(i);
    }
    return Method::kOther;
}

}  // namespace aim::http
