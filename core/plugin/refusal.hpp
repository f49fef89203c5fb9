#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.hpp"

namespace aim::plugin {

// Why a plugin file is not used. The names (RefusalName) are shown to operators, are the label of a
// counter and stand in probe caches: they never change; new ones are added at the end.
enum class RefusalReason {
    kNotRegularFile,
    kUnsafeOwnerOrMode,
    kTooLarge,
    kStillChanging,
    kNotElf,
    kWrongMachine,
    kTruncated,
    kNeedsNewerLibc,
    kNeedsForbiddenLibrary,
    kExtraExports,
    kMissingEntry,
    kUniqueSymbols,
    kStaticTls,
    kManifestMissing,
    kAbiMajor,
    kAbiMinor,
    kNotTrusted,
    kNoexecStaging,
    kProbeTimeout,
    kProbeCrashed,
    kProbeFailed,
    kInitFailed,
    kDuplicateId,
    kQuarantined,
    kUnreadable,
    kTextRelocations,
    kManifestMismatch,
    kStagingFailed,
    kLoadFailed,
    kBadDescriptor,
    kBadInterface,
    kForbiddenImport,
};

inline constexpr int kRefusalReasonCount = static_cast<int>(RefusalReason::kForbiddenImport) + 1;

// "not_elf" and so on. Static storage.
std::string_view RefusalName(RefusalReason reason);

// The inverse; nullopt for anything else.
std::optional<RefusalReason> ParseRefusalName(std::string_view name);

// One refusal: the reason for machines, a sentence for people that says what was expected, what was
// found and how to repair it. The file's name is not in the sentence; whoever shows it has it
// beside.
struct Refusal {
    RefusalReason reason = RefusalReason::kProbeFailed;
    std::string message;

    friend bool operator==(const Refusal&, const Refusal&) = default;
};

// A value, or why the file is refused.
template <typename T>
using Checked = tl::expected<T, Refusal>;

inline tl::unexpected<Refusal> Refuse(RefusalReason reason, std::string message) {
    return tl::unexpected<Refusal>(Refusal{reason, std::move(message)});
}

// `text` as it may stand in a sentence for people: control characters and bytes that are not ASCII
// become
// '?', the rest is cut at `most` bytes. For names that come out of a file we do not trust yet.
std::string Printable(std::string_view text, std::size_t most = 200);

}  // namespace aim::plugin
