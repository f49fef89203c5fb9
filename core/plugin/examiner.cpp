#include "core/plugin/examiner.hpp"

#include <sys/stat.h>

#include "core/plugin/elf_image.hpp"

namespace aim::plugin {

const HostLibraries& Examiner::Host() {
    if (!host_) host_ = HostLibraries::OfThisProcess();
    return *host_;
}

Checked<PluginBytes> Examiner::Read(const std::filesystem::path& path) const {
    struct stat folder {};
    const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
    if (::stat(parent.c_str(), &folder) == 0 && (folder.st_mode & S_IWOTH) != 0 &&
        (folder.st_mode & S_ISVTX) == 0) {
        return Refuse(RefusalReason::kUnsafeOwnerOrMode,
                      "everybody may write to the folder of the file, and so replace it: chmod o-w "
                      "the folder");
    }
    return ReadPluginBytes(path, limits_);
}

Checked<Candidate> Examiner::Check(const std::filesystem::path& source,
                                   const PluginBytes& content) {
    const auto image = ParseElf(content.bytes);
    if (!image) return tl::unexpected(image.error());
    if (auto refusal = CheckElfPolicy(*image, Host(), trust_.AllowsByName(content.hash))) {
        return tl::unexpected(std::move(*refusal));
    }
    auto note = ReadManifestNote(*image);
    if (!note) return tl::unexpected(std::move(note.error()));
    if (auto refusal = trust_.Check(content.hash)) return tl::unexpected(std::move(*refusal));
    Candidate candidate;
    candidate.source = source;
    candidate.hash = content.hash;
    candidate.note = std::move(*note);
    return candidate;
}

Checked<Candidate> Examiner::Prepare(const std::filesystem::path& source,
                                     const PluginBytes& content) {
    auto candidate = Check(source, content);
    if (!candidate) return candidate;
    auto staged = stage_.Store(content.bytes, content.hash,
                               candidate->note ? candidate->note->id : source.stem().string());
    if (!staged) return tl::unexpected(std::move(staged.error()));
    candidate->staged = std::move(*staged);
    return candidate;
}

}  // namespace aim::plugin
