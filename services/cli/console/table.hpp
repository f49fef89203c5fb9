#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/json/value.hpp"
#include "services/cli/console/output.hpp"

namespace aim::cli {

// A value as a cell shows it: a text without quotes, "-" for what is absent or null.
std::string TextOf(json::Value value);

// Rows under titles, columns two spaces apart and as wide as their widest cell by what a terminal
// shows. On a terminal that is too narrow, flexible columns shrink ("…" marks a cut cell) down to
// `kLeastWidth`, then whole columns are left out, the highest `rank` first. Without a terminal
// nothing is cut.
class Table {
  public:
    static constexpr std::size_t kLeastWidth = 10;

    struct Column {
        std::string title;
        bool right = false;     // numbers
        bool flexible = false;  // may be cut
        int rank = 0;           // 0 is never left out
    };

    struct Cell {
        std::string text;
        Colour colour = Colour::kNone;
    };

    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

    // As many cells as there are columns; missing ones are empty. Texts are made harmless and put
    // on one line.
    void Add(std::vector<Cell> row);

    bool empty() const { return rows_.empty(); }

    // Titles and rows, each ended by a line end, no space before it.
    std::string Render(const Terminal& terminal) const;

  private:
    struct Layout {
        std::vector<std::size_t> widths;
        std::vector<bool> shown;
    };
    Layout Arrange(std::size_t columns) const;

    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

}  // namespace aim::cli
