#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "core/http/spare_blocks.hpp"

namespace aim::http {

// The bytes of a connection that were received and not yet understood: nothing while it idles,
// growing up to a limit while it is fed.
class InputBuffer {
  public:
    static constexpr std::size_t kSmall = SpareBlocks::kBytes;
    static constexpr std::size_t kLarge = 64 * 1024;

    explicit InputBuffer(std::size_t limit) : limit_(std::max(limit, kSmall)) {}

    std::string_view data() const { return {storage_.get() + begin_, end_ - begin_}; }
    bool empty() const { return begin_ == end_; }
    // There is no room for another byte.
    bool full() const { return end_ - begin_ >= limit_; }

    // `rest` is the tail of data() that stays.
    void Keep(std::string_view rest) { begin_ = end_ - rest.size(); }

    // Room for the next read, at least `wanted` bytes if the limit allows it; empty when the buffer
    // is full. Moves the data.
    std::span<char> Space(std::size_t wanted) {
        if (begin_ == end_) begin_ = end_ = 0;
        const std::size_t used = end_ - begin_;
        const std::size_t size =
            std::min(limit_, std::max({kSmall, wanted, used == size_ ? 2 * size_ : size_}));
        if (size > size_) {
            std::unique_ptr<char[]> larger =
                size == kSmall ? SpareBlocks::Take() : std::unique_ptr<char[]>(new char[size]);
            if (used > 0) std::memcpy(larger.get(), storage_.get() + begin_, used);
            if (size_ == kSmall) SpareBlocks::Give(std::move(storage_));
            storage_ = std::move(larger);
            size_ = size;
            begin_ = 0;
            end_ = used;
        } else if (begin_ > 0 && end_ == size_) {
            std::memmove(storage_.get(), storage_.get() + begin_, used);
            begin_ = 0;
            end_ = used;
        }
        return {storage_.get() + end_, size_ - end_};
    }
    void Received(std::size_t size) { end_ += size; }

    // Nothing will come for a while: a buffer that is empty is given back, a large one only when
    // `large`, for the next piece of a body wants it again.
    void Rest(bool large) {
        if (!empty() || size_ == 0 || (size_ > kSmall && !large)) return;
        if (size_ == kSmall) SpareBlocks::Give(std::move(storage_));
        storage_.reset();
        size_ = begin_ = end_ = 0;
    }

  private:
    std::size_t limit_;
    std::unique_ptr<char[]> storage_;
    std::size_t size_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace aim::http
