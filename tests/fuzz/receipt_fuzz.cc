#include <cstdint>

#include "proto/envelope/receipt.h"
#include "tests/fuzz/signed_payload.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  TryToken<Receipt, VerifiedReceipt>({kReceiptTyp, PeekReceipt, VerifyReceipt,
                                      &VerifiedReceipt::receipt, SignReceipt},
                                     {data, size});
  return 0;
}
