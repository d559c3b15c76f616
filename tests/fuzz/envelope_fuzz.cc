#include <cstdint>
#include <cstdlib>

#include "proto/envelope/codec.h"
#include "proto/envelope/limits.h"

// A whole envelope: what decodes keeps its sizes and encodes to the same bytes.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  const ByteView bytes(data, size);
  const auto envelope = DecodeEnvelope(bytes);
  if (!envelope.ok()) return 0;
  if (!Equal(EncodeEnvelope(*envelope), bytes) ||
      envelope->enc.size() != kEncBytes ||
      envelope->ciphertext.size() != envelope->header.ciphertext_bytes ||
      !Equal(EncodeHeader(envelope->header), envelope->header_bytes))
    std::abort();
  return 0;
}
