#include <cstdint>

#include "proto/envelope/recall.h"
#include "tests/fuzz/signed_payload.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  TryToken<Recall, VerifiedRecall>({kRecallTyp, PeekRecall, VerifyRecall,
                                    &VerifiedRecall::recall, SignRecall},
                                   {data, size});
  return 0;
}
