#include "crypto/tlog_proof.h"

#include "tests/fuzz/signed_payload.h"

// What parses has one spelling.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto proof = ParseTlogProof(text);
  if (proof.ok()) Require(FormatTlogProof(*proof) == text);
  return 0;
}
