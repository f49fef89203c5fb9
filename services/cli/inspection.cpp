#include "services/cli/inspection.hpp"

#include <cerrno>
#include <chrono>
#include <system_error>

#include <stdlib.h>
#include <unistd.h>

#include "core/plugin/plugin_bytes.hpp"

namespace aim::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kProbeLimit{5000};

fs::path MakeTemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "aimanager-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        throw std::system_error(errno, std::generic_category(),
                                "a temporary folder cannot be made in " + name);
    }
    return name;
}

plugin::ReadLimits Limits() {
    plugin::ReadLimits limits;
    limits.owner = ::geteuid();
    return limits;
}

}  // namespace

Inspector::Inspector(plugin::TrustPolicy trust)
    : folder_(MakeTemporaryFolder()),
      trust_(trust),
      examiner_(Limits(), std::move(trust), plugin::PluginStage(folder_ / "stage")),
      probe_(plugin::SpawnedProbe::DefaultProgram(), kProbeLimit) {}

Inspector::~Inspector() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

Inspection Inspector::Read(const fs::path& file) { return Inspect(file, false); }

Inspection Inspector::Prepare(const fs::path& file) { return Inspect(file, true); }

Inspection Inspector::Try(const fs::path& file) {
    Inspection found = Prepare(file);
    if (!found.refusal) Probe(found);
    return found;
}

Inspection Inspector::Inspect(const fs::path& file, bool with_copy) {
    Inspection found;
    found.file = file;
    const auto content = examiner_.Read(file);
    if (!content) {
        found.refusal = content.error();
        return found;
    }
    found.size = content->bytes.size();
    found.sha256 = security::ToHex(content->hash);
    found.allowed_by_name = trust_.AllowsByName(content->hash);
    if (auto image = plugin::ParseElf(content->bytes)) {
        found.image = std::move(*image);
        if (auto note = plugin::ReadManifestNote(*found.image)) found.note = std::move(*note);
    }
    const auto candidate =
        with_copy ? examiner_.Prepare(file, *content) : examiner_.Check(file, *content);
    if (!candidate) {
        found.refusal = candidate.error();
        return found;
    }
    found.staged = candidate->staged;
    if (found.note) {
        found.id = found.note->id;
        found.version = found.note->version;
    }
    return found;
}

void Inspector::Probe(Inspection& found) {
    plugin::ProbeResult result = probe_.Probe(found.staged, {});
    found.refusal = std::move(result.verdict.refusal);
    found.output = std::move(result.output);
    if (!found.refusal) {
        found.id = result.verdict.id;
        found.version = result.verdict.version;
    }
}

}  // namespace aim::cli
