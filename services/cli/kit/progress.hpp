#pragma once

#include <string>

namespace aim::cli::kit {

// In a check's child: tells the parent where the check is, for the message when the process dies
// here. Only the last one is kept.
void ReportProgress(const std::string& where);

}  // namespace aim::cli::kit
