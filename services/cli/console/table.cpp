#include "services/cli/console/table.hpp"

#include <algorithm>
#include <utility>

#include "services/cli/console/text_width.hpp"

namespace aim::cli {
namespace {

constexpr std::size_t kGap = 2;

}  // namespace

std::string TextOf(json::Value value) {
    if (const auto text = value.AsString()) return std::string(*text);
    return value.exists() && !value.IsNull() ? value.ToJson() : "-";
}

void Table::Add(std::vector<Cell> row) {
    row.resize(columns_.size());
    for (Cell& cell : row) cell.text = OneLine(Harmless(cell.text));
    rows_.push_back(std::move(row));
}

Table::Layout Table::Arrange(std::size_t columns) const {
    Layout layout;
    layout.shown.assign(columns_.size(), true);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::size_t width = DisplayWidth(columns_[i].title);
        for (const auto& row : rows_) width = std::max(width, DisplayWidth(row[i].text));
        layout.widths.push_back(width);
    }
    if (columns == 0) return layout;
    const auto total = [&] {
        std::size_t sum = 0;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (layout.shown[i]) sum += layout.widths[i] + (sum == 0 ? 0 : kGap);
        }
        return sum;
    };
    const std::vector<std::size_t> wanted = layout.widths;
    // The widest flexible column gives up one column at a time, so that all end about as wide.
    const auto shrink = [&] {
        while (total() > columns) {
            std::size_t widest = columns_.size();
            for (std::size_t i = 0; i < columns_.size(); ++i) {
                if (!layout.shown[i] || !columns_[i].flexible || layout.widths[i] <= kLeastWidth)
                    continue;
                if (widest == columns_.size() || layout.widths[i] > layout.widths[widest])
                    widest = i;
            }
            if (widest == columns_.size()) return;
            --layout.widths[widest];
        }
    };
    for (;;) {
        layout.widths = wanted;
        shrink();
        if (total() <= columns) return layout;
        std::size_t least = columns_.size();
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (!layout.shown[i] || columns_[i].rank == 0) continue;
            if (least == columns_.size() || columns_[i].rank >= columns_[least].rank) least = i;
        }
        if (least == columns_.size()) return layout;
        layout.shown[least] = false;
    }
}

std::string Table::Render(const Terminal& terminal) const {
    const Layout layout =
        Arrange(static_cast<std::size_t>(terminal.is_terminal ? std::max(terminal.columns, 0) : 0));
    std::string out;
    const auto line = [&](const auto& cell_of) {
        std::string text;
        std::size_t owed = 0;  // spaces before the next visible text
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (!layout.shown[i]) continue;
            const Cell& cell = cell_of(i);
            const std::string fitted = FitToWidth(cell.text, layout.widths[i]);
            const std::size_t rest =
                layout.widths[i] - std::min(layout.widths[i], DisplayWidth(fitted));
            if (columns_[i].right) owed += rest;
            if (!fitted.empty()) {
                text.append(owed, ' ');
                owed = 0;
                text += Coloured(fitted, cell.colour, terminal.colours);
            }
            owed += kGap + (columns_[i].right ? 0 : rest);
        }
        out += text + "\n";
    };
    std::vector<Cell> titles;
    titles.reserve(columns_.size());
    for (const Column& column : columns_) titles.push_back({column.title, Colour::kBold});
    line([&](std::size_t i) -> const Cell& { return titles[i]; });
    for (const auto& row : rows_) line([&](std::size_t i) -> const Cell& { return row[i]; });
    return out;
}

}  // namespace aim::cli
