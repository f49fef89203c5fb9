#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/base/secret_string.hpp"

namespace aim::http::client {

// The value of a slot by its name ("GROQ_API_KEY"), or null when there is none. The pointer holds
// during the call.
using SecretResolver = std::function<const SecretString*(std::string_view name)>;

// Fills the slots of a header template: "Bearer {GROQ_API_KEY}". "{{" and "}}" stand for braces.
// Fails (kInvalidRequest) for a broken template, an unknown slot, and, with the code
// "setting_value", a value that would end the header line; no message holds a value. The result is
// a secret: send it, then forget it.
Result<std::string> FillSecretSlots(std::string_view header_template,
                                    const SecretResolver& resolver);

// Whether the template names any slot, that is, whether its value will be a secret. A broken
// template counts as one.
bool HasSecretSlots(std::string_view header_template);

}  // namespace aim::http::client
