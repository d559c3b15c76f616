#include "broker/daemon/qr_code.h"

#include <qrencode.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace amparo::broker {
namespace {

constexpr size_t kQuiet = 4;  // light modules around it, as the standard asks
constexpr int kModulePixels = 4;

}  // namespace

absl::StatusOr<QrCode> QrCode::Of(absl::string_view line) {
  // The line has check digits of its own: the lowest correction keeps it small.
  const std::unique_ptr<QRcode, void (*)(QRcode*)> code(
      QRcode_encodeString8bit(std::string(line).c_str(), 0, QR_ECLEVEL_L),
      QRcode_free);
  if (code == nullptr)
    return MakeError(absl::StatusCode::kResourceExhausted,
                     "the line does not fit a QR code", {.code = "too_large"});
  const size_t size = static_cast<size_t>(code->width);
  std::vector<bool> dark(size * size);
  for (size_t i = 0; i < dark.size(); ++i) dark[i] = (code->data[i] & 1) != 0;
  return QrCode(size, std::move(dark));
}

std::string QrCode::ForTerminal() const {
  const size_t side = size_ + 2 * kQuiet;
  const auto is_light = [&](size_t row, size_t column) {
    return row < kQuiet || column < kQuiet || row >= kQuiet + size_ ||
           column >= kQuiet + size_ || !IsDark(row - kQuiet, column - kQuiet);
  };
  std::string text;
  for (size_t row = 0; row < side; row += 2) {
    absl::StrAppend(&text, "\x1b[40;97m");
    for (size_t column = 0; column < side; ++column) {
      const bool upper = is_light(row, column);
      const bool lower = row + 1 < side && is_light(row + 1, column);
      absl::StrAppend(&text, upper && lower ? "█"
                             : upper        ? "▀"
                             : lower        ? "▄"
                                            : " ");
    }
    absl::StrAppend(&text, "\x1b[0m\n");
  }
  return text;
}

std::string QrCode::Svg() const {
  const size_t side = size_ + 2 * kQuiet;
  const size_t pixels = side * kModulePixels;
  std::string text =
      absl::StrCat("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", pixels,
                   "\" height=\"", pixels, "\" viewBox=\"0 0 ", side, " ", side,
                   "\" shape-rendering=\"crispEdges\">\n<rect width=\"", side,
                   "\" height=\"", side, "\" fill=\"#fff\"/>\n<path d=\"");
  for (size_t row = 0; row < size_; ++row)
    for (size_t column = 0; column < size_; ++column)
      if (IsDark(row, column))
        absl::StrAppend(&text, "M", column + kQuiet, " ", row + kQuiet,
                        "h1v1h-1z");
  return absl::StrCat(text, "\" fill=\"#000\"/>\n</svg>\n");
}

}  // namespace amparo::broker
