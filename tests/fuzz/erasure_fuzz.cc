#include <cstdint>

#include "proto/envelope/erasure.h"
#include "tests/fuzz/signed_payload.h"

// An erasure, twice: the input as a token, and as the payload of a signed one.
// What verifies is what peeking shows and what signing it again makes.

namespace amparo {
namespace {

void Try(absl::string_view token) {
  const auto peeked = PeekErasure(token);
  const auto verified = VerifyErasure(token, FuzzKeys());
  if (!verified.ok()) return;
  Require(peeked.ok() && *peeked == verified->erasure);
  const auto again =
      VerifyErasure(SignErasure(verified->erasure, FuzzKey()), FuzzKeys());
  Require(again.ok() && again->erasure == verified->erasure);
}

}  // namespace
}  // namespace amparo

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  Require(InitCrypto().ok());
  const absl::string_view text = AsText({data, size});
  Try(text);
  Try(SignedPayload(kErasureTyp, text));
  return 0;
}
