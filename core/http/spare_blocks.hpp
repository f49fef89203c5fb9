#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include <sanitizer/asan_interface.h>

namespace aim::http {

// The first buffer of every connection: 4 KiB, held while there are bytes in it and given back
// before waiting for more, so that thousands of quiet connections share a few. A thread keeps up to
// kKept of them for its next reader.
class SpareBlocks {
  public:
    static constexpr std::size_t kBytes = 4 * 1024;
    static constexpr std::size_t kKept = 64;

    using Block = std::unique_ptr<char[]>;

    static Block Take() {
        SpareBlocks& spare = OfThread();
        // Not make_unique: what the kernel writes over need not be zeroed first.
        if (spare.count_ == 0) return Block(new char[kBytes]);
        Block block = std::move(spare.blocks_[--spare.count_]);
        ASAN_UNPOISON_MEMORY_REGION(block.get(), kBytes);
        return block;
    }
    static void Give(Block block) {
        SpareBlocks& spare = OfThread();
        if (spare.count_ == kKept) return;
        // Who still looks at it is found as if it were freed.
        ASAN_POISON_MEMORY_REGION(block.get(), kBytes);
        spare.blocks_[spare.count_++] = std::move(block);
    }

    ~SpareBlocks() {
        while (count_ > 0) ASAN_UNPOISON_MEMORY_REGION(blocks_[--count_].get(), kBytes);
    }
    SpareBlocks(const SpareBlocks&) = delete;
    SpareBlocks& operator=(const SpareBlocks&) = delete;

  private:
    SpareBlocks() = default;

    static SpareBlocks& OfThread() {
        thread_local SpareBlocks blocks;
        return blocks;
    }

    Block blocks_[kKept];
    std::size_t count_ = 0;
};

}  // namespace aim::http
