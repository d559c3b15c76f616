#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace amparo {

using Bytes = std::vector<uint8_t>;
using ByteView = std::span<const uint8_t>;

// The bytes of `text`, and the reverse. Nothing is copied: the result lives as
// long as its argument.
inline ByteView AsBytes(absl::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline absl::string_view AsText(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Copies.
inline Bytes ToBytes(ByteView bytes) { return {bytes.begin(), bytes.end()}; }
inline Bytes ToBytes(absl::string_view text) { return ToBytes(AsBytes(text)); }
inline std::string ToText(ByteView bytes) { return std::string(AsText(bytes)); }

// Not constant-time: for public values only.
inline bool Equal(ByteView a, ByteView b) {
  return AsText(a) == AsText(b);
}

inline void Append(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// Big-endian, most significant byte first.
void AppendU16(Bytes& out, uint16_t value);
void AppendU32(Bytes& out, uint32_t value);
void AppendU64(Bytes& out, uint64_t value);
// Precondition: `bytes` has at least 2, 4, 8 bytes.
uint16_t ReadU16(ByteView bytes);
uint32_t ReadU32(ByteView bytes);
uint64_t ReadU64(ByteView bytes);

}  // namespace amparo
