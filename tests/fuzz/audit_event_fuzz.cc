#include <cstdint>
#include <cstdlib>

#include "proto/envelope/limits.h"
#include "proto/envelope/log_entry.h"

// What a commitment hides: what decodes encodes to the same bytes.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  const ByteView bytes(data, size);
  const auto event = DecodeAuditEvent(bytes);
  if (!event.ok()) return 0;
  if (!Equal(EncodeAuditEvent(*event), bytes) || size > kOpeningBytesMax ||
      NameOf(*event).empty())
    std::abort();
  return 0;
}
