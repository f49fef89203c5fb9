#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "core/plugin/elf_image.hpp"
#include "core/plugin/refusal.hpp"

namespace aim::plugin {

// The symbol versions that this host's C and C++ libraries offer ("libc.so.6" has "GLIBC_2.36"),
// read from the library files that this process has mapped. A value.
class HostLibraries {
  public:
    // Reads them; costs some milliseconds, so once a process. A library that cannot be read is
    // unknown.
    static HostLibraries OfThisProcess();

    explicit HostLibraries(std::map<std::string, std::set<std::string>> versions)
        : versions_(std::move(versions)) {}

    // False only when the library is known and lacks the version.
    bool MayHave(const std::string& library, const std::string& version) const;

    // The highest version of the same family ("GLIBC_"), for messages; empty when there is none.
    std::string Highest(const std::string& library, const std::string& version) const;

  private:
    std::map<std::string, std::set<std::string>> versions_;
};

// What the loader asks of an image beyond being well-formed: needed libraries from a short list,
// symbol versions that this host has, exactly one export, no unique symbols, no text relocations;
// and unless the file is allowed by name, no static TLS and no call that ends the process or a
// thread. Nullopt when all hold. Pure.
std::optional<Refusal> CheckElfPolicy(const ElfImage& image, const HostLibraries& host,
                                      bool allowed_by_name);

}  // namespace aim::plugin
