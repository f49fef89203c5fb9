#pragma once

#include <string>

#include "aim/abi/provider.h"
#include "core/plugin/descriptor.hpp"

namespace aim::cli {

// Makes a provider from the settings "{}" and defaults, begins one session with a minimal request,
// takes its first step and ends it, without any network. A plugin that cannot work without settings
// may refuse them, if it says why. Empty when the rules of the ABI were kept, else a sentence.
std::string RunDryChat(const aim_chat& chat, const plugin::Descriptor& descriptor);

}  // namespace aim::cli
