#include <cstdint>
#include <cstdlib>

#include "proto/envelope/codec.h"
#include "proto/envelope/limits.h"

// An envelope's header: what decodes keeps every limit and encodes to the same
// bytes.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  const ByteView bytes(data, size);
  const auto header = DecodeHeader(bytes);
  if (!header.ok()) return 0;
  const bool holds =
      Equal(EncodeHeader(*header), bytes) &&
      header->sender != header->recipient &&
      header->expires > header->created &&
      header->expires - header->created <= kEnvelopeLifeMax &&
      header->blobs.size() <= kBlobsMax && header->link_seq > 0 &&
      header->link_seq <= kLinkMax &&
      size <= kHeaderBytesMax + header->blobs.size() * kHeaderBytesPerBlob;
  if (!holds) std::abort();
  return 0;
}
