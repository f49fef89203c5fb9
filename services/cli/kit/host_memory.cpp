#include "services/cli/kit/host_memory.hpp"

#include <cstdlib>
#include <new>

#include <sys/mman.h>
#include <unistd.h>

namespace aim::cli::kit {

HostMemory::~HostMemory() {
    for (const Block& block : blocks_) {
        if (block.mapped) {
            ::munmap(block.base, block.size);
        } else {
            std::memset(block.base, 0xDD, block.size);
            std::free(block.base);
        }
    }
}

std::string_view HostMemory::Keep(std::string_view bytes) {
    if (bytes.empty()) return {};
    void* const at = Allocate(bytes.size());
    std::memcpy(at, bytes.data(), bytes.size());
    return {static_cast<const char*>(at), bytes.size()};
}

void* HostMemory::Allocate(std::size_t size) {
    if (mode_ != MemoryMode::kGuarded) {
        void* const at = std::malloc(size);
        if (at == nullptr) throw std::bad_alloc();
        blocks_.push_back({at, size, false});
        return at;
    }
    // The block ends where a page begins that nobody may touch.
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t used = (size + page - 1) / page * page;
    void* const base =
        ::mmap(nullptr, used + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) throw std::bad_alloc();
    blocks_.push_back({base, used + page, true});
    ::mprotect(static_cast<char*>(base) + used, page, PROT_NONE);
    return static_cast<char*>(base) + used - size;
}

}  // namespace aim::cli::kit
