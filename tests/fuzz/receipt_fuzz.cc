#include <cstdint>

#include "proto/envelope/receipt.h"
#include "tests/fuzz/signed_payload.h"

// A receipt, twice: the input as a token, and as the payload of a signed one.
// What verifies is what peeking shows and what signing it again makes.

namespace amparo {
namespace {

void Try(absl::string_view token) {
  const auto peeked = PeekReceipt(token);
  const auto verified = VerifyReceipt(token, FuzzKeys());
  if (!verified.ok()) return;
  Require(peeked.ok() && *peeked == verified->receipt);
  const auto again =
      VerifyReceipt(SignReceipt(verified->receipt, FuzzKey()), FuzzKeys());
  Require(again.ok() && again->receipt == verified->receipt);
}

}  // namespace
}  // namespace amparo

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  Require(InitCrypto().ok());
  const absl::string_view text = AsText({data, size});
  Try(text);
  Try(SignedPayload(kReceiptTyp, text));
  return 0;
}
