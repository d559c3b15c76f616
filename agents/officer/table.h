#pragma once

#include <string>
#include <vector>

#include "agents/officer/text.h"

namespace amparo::officer {

// Rows of facts under common names: aligned columns on a terminal, one fact
// per line otherwise (a screen reader reads a table badly).
class Table {
 public:
  explicit Table(std::vector<std::string> columns);

  // As many cells as columns; they are made Printable here.
  void Add(std::vector<std::string> cells);
  // The same, said aloud: a cell of this row stands out.
  void AddAlarming(std::vector<std::string> cells);

  bool empty() const { return rows_.empty(); }
  // Ends with a line break unless it is empty.
  std::string Text(const TextStyle& style) const;

 private:
  struct Row {
    std::vector<std::string> cells;
    bool alarming;
  };
  std::string Aligned(const TextStyle& style) const;
  std::string Listed() const;

  std::vector<std::string> columns_;
  std::vector<Row> rows_;
};

// "  Label:  value" lines with the values under each other.
class Facts {
 public:
  explicit Facts(size_t indent = 0) : indent_(indent) {}

  // Skips an empty `value`. Later lines of `value` are indented as the first.
  void Add(std::string label, std::string value);
  std::string Text() const;

 private:
  const size_t indent_;
  std::vector<std::pair<std::string, std::string>> facts_;
};

}  // namespace amparo::officer
