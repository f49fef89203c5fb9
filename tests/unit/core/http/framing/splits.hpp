#pragma once

#include <cstddef>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace aim::http {

// Feeds `stream` to `run` whole, byte by byte, in two pieces at every place, and at random places.
// Every piece is a copy that is freed after its use, so that a view kept too long is seen by the
// address sanitizer.
inline void ForEverySplit(std::string_view stream,
                          const std::function<void(const std::vector<std::string>& pieces)>& run) {
    run({std::string(stream)});
    std::vector<std::string> bytes;
    for (const char c : stream) bytes.emplace_back(1, c);
    run(bytes);
    for (std::size_t at = 1; at < stream.size(); ++at)
        run({std::string(stream.substr(0, at)), std::string(stream.substr(at))});
    std::mt19937 random(7);
    for (int round = 0; round < 200; ++round) {
        std::vector<std::string> pieces;
        for (std::size_t at = 0; at < stream.size();) {
            const std::size_t size = 1 + random() % 9;
            pieces.emplace_back(stream.substr(at, size));
            at += size;
        }
        run(pieces);
    }
}

}  // namespace aim::http
