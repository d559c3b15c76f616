#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "crypto/tile.h"

// Two bytes of width, then an entry bundle or a hash tile of that width: what
// decodes has exactly that many entries and encodes to the same bytes.

namespace amparo {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void TryBundle(ByteView bytes, uint32_t width) {
  const auto entries = DecodeBundle(bytes, width);
  if (!entries.ok()) return;
  Require(entries->size() == width);
  Require(Equal(EncodeBundle(*entries), bytes));
}

void TryTile(ByteView bytes, uint32_t width) {
  const auto hashes = DecodeTile(bytes, width);
  if (!hashes.ok()) return;
  Bytes again;
  for (const Digest& hash : *hashes) Append(again, hash.bytes());
  Require(Equal(again, bytes));
}

}  // namespace
}  // namespace amparo

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const amparo::ByteView input(data, size);
  const uint32_t width = amparo::ReadU16(input);
  amparo::TryBundle(input.subspan(2), width);
  amparo::TryTile(input.subspan(2), width);
  return 0;
}
