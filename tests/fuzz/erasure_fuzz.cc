#include <cstdint>

#include "proto/envelope/erasure.h"
#include "tests/fuzz/signed_payload.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  TryToken<Erasure, VerifiedErasure>({kErasureTyp, PeekErasure, VerifyErasure,
                                      &VerifiedErasure::erasure, SignErasure},
                                     {data, size});
  return 0;
}
