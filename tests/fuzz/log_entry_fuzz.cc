#include <cstdint>
#include <cstdlib>

#include "proto/envelope/log_entry.h"

// An entry of the log: what decodes encodes to the same bytes.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  const ByteView bytes(data, size);
  const auto entry = DecodeLogEntry(bytes);
  if (entry.ok() && !Equal(EncodeLogEntry(*entry), bytes)) std::abort();
  return 0;
}
