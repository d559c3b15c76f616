#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace amparo {

// Unpredictable public bytes (ids, salts, nonces) from the system's generator.
// Secret keys: SecretKeyBytes::Random.
Bytes RandomBytes(size_t size);

template <size_t N>
std::array<uint8_t, N> RandomArray() {
  std::array<uint8_t, N> out;
  const Bytes bytes = RandomBytes(N);
  for (size_t i = 0; i < N; ++i) out[i] = bytes[i];
  return out;
}

// Uniform in [0, bound); 0 when bound is 0. For jitter and choices.
uint32_t RandomBelow(uint32_t bound);

}  // namespace amparo
