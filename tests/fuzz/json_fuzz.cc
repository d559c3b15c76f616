#include <cstdint>
#include <cstdlib>

#include "absl/strings/string_view.h"
#include "base/json.h"

// What parses has no byte that the parser would skip, and reads the same again
// once it is written.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = amparo::ParseJson(text);
  if (!parsed.ok()) return 0;
  if (text.find('\0') != absl::string_view::npos || text[0] == '\xef')
    std::abort();
  const auto again = amparo::ParseJson(amparo::DumpJson(*parsed));
  if (!again.ok() || *again != *parsed) std::abort();
  return 0;
}
