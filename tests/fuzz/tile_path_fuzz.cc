#include "crypto/tile.h"
#include "tests/fuzz/signed_payload.h"

// What parses has one spelling.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto path = ParseTilePath(text);
  if (path.ok())
    Require((path->is_bundle ? BundlePath(path->tile.index, path->tile.width)
                             : TilePath(path->tile)) == text);
  return 0;
}
