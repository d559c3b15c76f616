#include <cstdint>

#include "proto/content/payload.h"
#include "tests/fuzz/signed_payload.h"

// What an envelope held: what decodes encodes to the same bytes.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  Require(InitCrypto().ok());
  const ByteView bytes(data, size);
  const auto payload = DecodePayload(bytes);
  if (!payload.ok()) return 0;
  const auto again = EncodePayload(*payload);
  Require(again.ok() && Equal(again->Expose(), bytes));
  (void)AnchorOf(*payload);
  return 0;
}
