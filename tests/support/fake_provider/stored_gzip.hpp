// Gzip without a compressor: stored blocks, which any decoder must read.
#pragma once

#include <cstdint>
#include <string>

namespace aim::testing {

// One file: Begin, any number of Add, End; what they return is to be sent in this order.
class StoredGzip {
  public:
    std::string Begin() const;
    std::string Add(const std::string& bytes);
    std::string End() const;

  private:
    std::uint32_t crc_ = 0;
    std::uint32_t size_ = 0;
};

}  // namespace aim::testing
