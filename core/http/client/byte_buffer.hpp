#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "core/http/spare_blocks.hpp"

namespace aim::http::client {

// The bytes between a socket and their reader: filled at the end, taken from the front, in place.
// Holds nothing while it rests, because thousands of quiet streams do, and grows when reads fill
// it.
class ByteBuffer {
  public:
    static constexpr std::size_t kFirstSize = SpareBlocks::kBytes;
    static constexpr std::size_t kLargestRead = 64 * 1024;

    std::span<char> bytes() { return {storage_.get() + begin_, end_ - begin_}; }
    std::string_view view() const { return {storage_.get() + begin_, end_ - begin_}; }
    std::size_t size() const { return end_ - begin_; }
    bool empty() const { return begin_ == end_; }
    std::size_t capacity() const { return capacity_; }

    // Forgets the first `count` bytes. They stay readable until the next Space() or Rest().
    void Consume(std::size_t count) {
        begin_ += count;
        if (begin_ == end_) begin_ = end_ = 0;
    }

    // Free room at the end, at least one byte. Moves what is inside.
    std::span<char> Space() {
        if (empty() && filled_ && capacity_ < kLargestRead) {
            Reserve(capacity_ * 4);
        } else if (end_ == capacity_) {
            if (begin_ > 0) {
                std::memmove(storage_.get(), storage_.get() + begin_, size());
                end_ -= begin_;
                begin_ = 0;
            } else {
                Reserve(std::max(kFirstSize, capacity_ * 4));
            }
        }
        return {storage_.get() + end_, capacity_ - end_};
    }

    // `count` bytes were written to Space().
    void Commit(std::size_t count) {
        end_ += count;
        filled_ = end_ == capacity_;
    }

    // Before a wait for more: a small buffer that is empty is given back. One that reads have
    // filled stays.
    void Rest() {
        if (!empty() || capacity_ != kFirstSize || filled_) return;
        SpareBlocks::Give(std::move(storage_));
        capacity_ = 0;
    }

  private:
    void Reserve(std::size_t wanted) {
        auto larger = wanted == kFirstSize ? SpareBlocks::Take()
                                           : std::make_unique_for_overwrite<char[]>(wanted);
        const std::size_t kept = size();
        if (kept > 0) std::memcpy(larger.get(), storage_.get() + begin_, kept);
        if (capacity_ == kFirstSize) SpareBlocks::Give(std::move(storage_));
        storage_ = std::move(larger);
        begin_ = 0;
        end_ = kept;
        capacity_ = wanted;
        filled_ = false;
    }

    std::unique_ptr<char[]> storage_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t capacity_ = 0;
    bool filled_ = false;  // the last read left no room: there may be much more
};

}  // namespace aim::http::client
