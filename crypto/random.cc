#include "crypto/random.h"

#include <sodium.h>

namespace amparo {

Bytes RandomBytes(size_t size) {
  Bytes bytes(size);
  if (size > 0) randombytes_buf(bytes.data(), size);
  return bytes;
}

uint32_t RandomBelow(uint32_t bound) { return randombytes_uniform(bound); }

}  // namespace amparo
