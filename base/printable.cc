#include "base/printable.h"

namespace amparo {

std::string Printable(absl::string_view text) {
  std::string out(text);
  for (size_t i = 0; i < out.size(); ++i) {
    const auto byte = static_cast<unsigned char>(out[i]);
    if ((byte < 0x20 && byte != '\n') || byte == 0x7f) {
      out[i] = '?';
    } else if (byte == 0xc2 && i + 1 < out.size() &&
               static_cast<unsigned char>(out[i + 1]) >= 0x80 &&
               static_cast<unsigned char>(out[i + 1]) < 0xa0) {
      // A C1 control, as UTF-8 has it.
      out[i] = out[i + 1] = '?';
    }
  }
  return out;
}

}  // namespace amparo
