#pragma once

#include <string_view>

namespace aim::security {

// Equality whose duration depends on the lengths only, not on where the texts differ. Different
// lengths are unequal at once, so compare digests, not secrets, where the length itself is to stay
// unknown.
bool ConstantTimeEquals(std::string_view a, std::string_view b);

}  // namespace aim::security
