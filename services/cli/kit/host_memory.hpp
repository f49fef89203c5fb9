#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <vector>

namespace aim::cli::kit {

// How the memory looks that a plugin is shown.
enum class MemoryMode {
    kPlain,    // exactly as large as it says
    kGuarded,  // the same, and the byte behind it and all of it after the call end the process
    kLarger,   // tables are larger than this ABI's, as those of a later host
};

// What the host shows to a plugin during one call: copies that end with this object, overwritten
// first, so that a plugin that keeps a view is found out. Texts have no NUL behind them, empty ones
// are null. One thread.
class HostMemory {
  public:
    explicit HostMemory(MemoryMode mode) : mode_(mode) {}
    ~HostMemory();
    HostMemory(const HostMemory&) = delete;
    HostMemory& operator=(const HostMemory&) = delete;

    std::string_view Keep(std::string_view bytes);

    // A struct of the ABI; struct_size is filled in.
    template <typename Table>
    Table* Place(Table value) {
        static_assert(std::is_trivially_copyable_v<Table>);
        const std::size_t more = mode_ == MemoryMode::kLarger ? kMore : 0;
        value.struct_size = static_cast<decltype(value.struct_size)>(sizeof(Table) + more);
        void* const at = Allocate(sizeof(Table) + more);
        std::memset(at, 0xA5, sizeof(Table) + more);
        std::memcpy(at, &value, sizeof(Table));
        return static_cast<Table*>(at);
    }

  private:
    static constexpr std::size_t kMore = 64;

    struct Block {
        void* base = nullptr;
        std::size_t size = 0;
        bool mapped = false;
    };
    void* Allocate(std::size_t size);

    const MemoryMode mode_;
    std::vector<Block> blocks_;
};

}  // namespace aim::cli::kit
