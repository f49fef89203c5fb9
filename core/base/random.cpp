#include "core/base/random.hpp"

#include <random>

namespace aim {
namespace {

// SplitMix64 (Steele, Lea, Flood, 2014): one addition and two multiplications a number.
class SplitMix final : public Random {
  public:
    explicit SplitMix(std::uint64_t seed) : state_(seed) {}

    std::uint64_t Next() override {
        state_ += 0x9e3779b97f4a7c15ULL;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }

  private:
    std::uint64_t state_;
};

}  // namespace

std::unique_ptr<Random> MakeRandom() {
    std::random_device device;
    const std::uint64_t seed = (static_cast<std::uint64_t>(device()) << 32) | device();
    return std::make_unique<SplitMix>(seed);
}

std::unique_ptr<Random> MakeSeededRandom(std::uint64_t seed) {
    return std::make_unique<SplitMix>(seed);
}

}  // namespace aim
