#pragma once

#include <cstdint>
#include <memory>

namespace aim {

// A source of random numbers, injected so that tests can repeat a run. One object belongs to one
// thread at a time.
class Random {
  public:
    virtual ~Random() = default;
    virtual std::uint64_t Next() = 0;
};

// Seeded from the operating system; fast, not for keys (those come from core/security).
std::unique_ptr<Random> MakeRandom();

// The same sequence for the same seed.
std::unique_ptr<Random> MakeSeededRandom(std::uint64_t seed);

}  // namespace aim
