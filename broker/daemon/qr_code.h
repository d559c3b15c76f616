#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace amparo::broker {

// A line of text as a QR code (ISO/IEC 18004), for a camera instead of a
// keyboard. Immutable.
class QrCode {
 public:
  // RESOURCE_EXHAUSTED (code "too_large") for a line that no QR code holds.
  static absl::StatusOr<QrCode> Of(absl::string_view line);

  size_t size() const { return size_; }  // modules on each side
  bool IsDark(size_t row, size_t column) const {
    return dark_[row * size_ + column];
  }

  // For a terminal: a line for two rows of modules, in black and white whatever
  // the terminal's own colours are.
  std::string ForTerminal() const;
  // A picture in SVG, black on white.
  std::string Svg() const;

 private:
  QrCode(size_t size, std::vector<bool> dark)
      : size_(size), dark_(std::move(dark)) {}
  const size_t size_;
  const std::vector<bool> dark_;
};

}  // namespace amparo::broker
