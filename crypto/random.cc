#include "crypto/random.h"

#include <sodium.h>

namespace amparo {

Bytes RandomBytes(size_t size) {
  Bytes bytes(size);
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

uint32_t RandomBelow(uint32_t bound) { return randombytes_uniform(bound); }

}  // namespace amparo
