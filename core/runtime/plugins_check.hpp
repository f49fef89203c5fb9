#pragma once

#include "core/json/writer.hpp"
#include "core/plugin/registry.hpp"

namespace aim::runtime {

// The member `refused`: the files that are not used, and why.
void PutRefusedPlugins(json::Writer& writer, const plugin::Registry& registry);

// The member `plugins` of /ready: how many serve, which files are refused and why, and in `detail`
// what else an operator should know.
void PutPluginsCheck(json::Writer& writer, const plugin::Registry& registry);

}  // namespace aim::runtime
