#pragma once

#include <string>

#include "core/base/result.hpp"
#include "core/json/writer.hpp"
#include "core/plugin/trust_policy.hpp"
#include "services/cli/inspection.hpp"

namespace aim::cli {

// The trust policy of PLUGIN_SHA256_ALLOW.
Result<plugin::TrustPolicy> TrustFromEnvironment();

// The members of the JSON object of one file, into an object that is open.
void AppendInspection(const Inspection& found, bool good, json::Writer& out);

// "ok …" or "refused …" with id, version, reason and sentence, on lines of their own.
std::string SentenceOf(const Inspection& found);

// "1.0"
std::string AbiName(const plugin::ManifestNote& note);

}  // namespace aim::cli
