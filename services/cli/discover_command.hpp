#pragma once

#include <CLI/CLI.hpp>

namespace aim::cli {

// `models discover PROVIDER`: what a key may use, and rows for it.
void AddDiscover(CLI::App& models, int& exit_code);

}  // namespace aim::cli
