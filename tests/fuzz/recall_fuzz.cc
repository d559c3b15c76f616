#include <cstdint>

#include "proto/envelope/recall.h"
#include "tests/fuzz/signed_payload.h"

// A recall, twice: the input as a token, and as the payload of a signed one.
// What verifies is what peeking shows and what signing it again makes.

namespace amparo {
namespace {

void Try(absl::string_view token) {
  const auto peeked = PeekRecall(token);
  const auto verified = VerifyRecall(token, FuzzKeys());
  if (!verified.ok()) return;
  Require(peeked.ok() && *peeked == verified->recall);
  const auto again =
      VerifyRecall(SignRecall(verified->recall, FuzzKey()), FuzzKeys());
  Require(again.ok() && again->recall == verified->recall);
}

}  // namespace
}  // namespace amparo

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  Require(InitCrypto().ok());
  const absl::string_view text = AsText({data, size});
  Try(text);
  Try(SignedPayload(kRecallTyp, text));
  return 0;
}
