// Cuts a body as the host's framings do. Small and slow: the production parser has tests of its
// own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aim::plugin_driver {

class Framer final {
  public:
    struct Piece {
        std::string data;
        std::string event;
        std::string id;
    };

    explicit Framer(std::int32_t framing) : framing_(framing) {}

    std::vector<Piece> Feed(std::string_view bytes);
    // What is left when the body ends; only a complete one yields an unfinished JSON line.
    std::vector<Piece> Finish(bool complete);

  private:
    void Line(std::string_view line, std::vector<Piece>& out);

    std::int32_t framing_;
    std::string pending_;
    bool after_carriage_return_ = false;
    bool has_data_ = false;
    Piece event_;
};

}  // namespace aim::plugin_driver
