#include "core/ledger/acknowledgement.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "core/ledger/crc32c.hpp"

namespace aim::ledger {
namespace {

// magic (8) | generation (8) | sequence (8) | CRC-32C of the 24 bytes before (4) | zeros
constexpr std::string_view kMagic = "AIMLACK1";
constexpr std::size_t kSlotBytes = 512;
constexpr std::size_t kChecked = 24;

}  // namespace

Result<void> Acknowledgement::Open(const std::filesystem::path& path) {
    file_ = FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!file_.is_open()) return SystemFailure("cannot open " + path.string());
    for (int slot = 0; slot < 2; ++slot) {
        char bytes[kChecked + 4] = {};
        const auto got = ::pread(file_.get(), bytes, sizeof bytes,
                                 static_cast<off_t>(kSlotBytes * static_cast<std::size_t>(slot)));
        if (got != static_cast<ssize_t>(sizeof bytes)) continue;
        std::uint32_t crc = 0;
        std::uint64_t generation = 0;
        std::memcpy(&crc, bytes + kChecked, sizeof crc);
        std::memcpy(&generation, bytes + 8, sizeof generation);
        const std::string_view checked(bytes, kChecked);
        if (!checked.starts_with(kMagic) || crc != Crc32c(checked)) continue;
        if (generation < generation_) continue;
        generation_ = generation;
        std::memcpy(&sequence_, bytes + 16, sizeof sequence_);
    }
    return {};
}

Result<void> Acknowledgement::Write(std::uint64_t sequence) {
    std::string slot(kSlotBytes, '\0');
    const std::uint64_t generation = generation_ + 1;
    std::memcpy(slot.data(), kMagic.data(), kMagic.size());
    std::memcpy(slot.data() + 8, &generation, sizeof generation);
    std::memcpy(slot.data() + 16, &sequence, sizeof sequence);
    const std::uint32_t crc = Crc32c(std::string_view(slot).substr(0, kChecked));
    std::memcpy(slot.data() + kChecked, &crc, sizeof crc);
    const auto offset = static_cast<off_t>(generation % 2 * kSlotBytes);
    if (::pwrite(file_.get(), slot.data(), slot.size(), offset) !=
        static_cast<ssize_t>(slot.size())) {
        return SystemFailure("cannot write what was acknowledged");
    }
    generation_ = generation;
    sequence_ = sequence;
    return {};
}

}  // namespace aim::ledger
