#include <cstdint>
#include <cstdlib>

#include "proto/envelope/codec.h"

// An anchor: what decodes encodes to the same bytes.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  const Bytes bytes(data, data + size);
  const auto anchor = MakeSignedAnchor(bytes, Bytes(64));
  if (anchor.ok() && EncodeAnchor(anchor->anchor) != bytes) std::abort();
  return 0;
}
