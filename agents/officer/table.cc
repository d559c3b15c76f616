#include "agents/officer/table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace amparo::officer {
namespace {

std::string Spaces(size_t count) { return std::string(count, ' '); }

}  // namespace

Table::Table(std::vector<std::string> columns) : columns_(std::move(columns)) {}

void Table::Add(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = Printable(cell);
  cells.resize(columns_.size());
  rows_.push_back({std::move(cells), false});
}

void Table::AddAlarming(std::vector<std::string> cells) {
  Add(std::move(cells));
  rows_.back().alarming = true;
}

std::string Table::Text(const TextStyle& style) const {
  if (rows_.empty()) return "";
  return style.tables ? Aligned(style) : Listed();
}

std::string Table::Aligned(const TextStyle& style) const {
  std::vector<size_t> widths;
  for (size_t i = 0; i < columns_.size(); ++i) {
    size_t width = WidthOf(columns_[i]);
    for (const Row& row : rows_) width = std::max(width, WidthOf(row.cells[i]));
    widths.push_back(width);
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (size_t i = 0; i < cells.size(); ++i)
      absl::StrAppend(&text, cells[i],
                      Spaces(widths[i] - WidthOf(cells[i]) + 2));
    absl::StripTrailingAsciiWhitespace(&text);
    return text;
  };
  std::vector<std::string> heads;
  for (const std::string& column : columns_)
    heads.push_back(absl::AsciiStrToUpper(column));
  std::string text = absl::StrCat(Heading(line(heads), style), "\n");
  for (const Row& row : rows_) {
    const std::string cells = line(row.cells);
    absl::StrAppend(&text, row.alarming ? Alarming(cells, style) : cells, "\n");
  }
  return text;
}

std::string Table::Listed() const {
  std::string text;
  for (const Row& row : rows_) {
    if (!text.empty()) text += "\n";
    for (size_t i = 0; i < columns_.size(); ++i)
      if (!row.cells[i].empty())
        absl::StrAppend(&text, columns_[i], ": ", row.cells[i], "\n");
  }
  return text;
}

void Facts::Add(std::string label, std::string value) {
  if (!value.empty()) facts_.emplace_back(std::move(label), std::move(value));
}

std::string Facts::Text() const {
  size_t width = 0;
  for (const auto& [label, value] : facts_)
    width = std::max(width, WidthOf(label));
  std::string text;
  for (const auto& [label, value] : facts_) {
    const std::string gap = Spaces(indent_ + width + 3);
    absl::StrAppend(&text, Spaces(indent_), label, ":",
                    Spaces(width - WidthOf(label) + 2),
                    absl::StrReplaceAll(value, {{"\n", "\n" + gap}}), "\n");
  }
  return text;
}

}  // namespace amparo::officer
