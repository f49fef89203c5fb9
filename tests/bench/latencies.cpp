#include "tests/bench/latencies.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace aim::bench {
namespace {

constexpr std::int64_t kNanosecondsATenth = 100;
constexpr std::int64_t kMostTenths = std::int64_t{4'000'000'000};
constexpr std::array kCurve = {0.0,  10.0, 25.0, 50.0, 75.0, 90.0,  95.0,
                               98.0, 99.0, 99.5, 99.8, 99.9, 99.95, 100.0};

}  // namespace

void Latencies::Add(std::chrono::nanoseconds time) {
    tenths_.push_back(static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(time.count() / kNanosecondsATenth, 0, kMostTenths)));
}

void Latencies::Sort() { std::sort(tenths_.begin(), tenths_.end()); }

double Latencies::Microseconds(double part) const {
    if (tenths_.empty()) return 0;
    const double rank = std::ceil(part * static_cast<double>(tenths_.size()));
    const auto position = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
    return tenths_[std::min(position, tenths_.size() - 1)] / 10.0;
}

double Latencies::MeanMicroseconds() const {
    double sum = 0;
    for (const std::uint32_t tenths : tenths_) sum += tenths;
    return tenths_.empty() ? 0 : sum / 10 / static_cast<double>(tenths_.size());
}

std::string Latencies::CurveJson() const {
    std::string json = "[";
    for (const double percentile : kCurve) {
        char point[64];
        std::snprintf(point, sizeof point, "%s[%g,%.1f]", json.size() > 1 ? "," : "", percentile,
                      Microseconds(percentile / 100));
        json += point;
    }
    return json + "]";
}

}  // namespace aim::bench
