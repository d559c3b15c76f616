#include "base/bytes.h"

namespace amparo {
namespace {

template <typename T>
void AppendBigEndian(Bytes& out, T value) {
  for (int shift = 8 * (static_cast<int>(sizeof(T)) - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<uint8_t>(value >> shift));
}

template <typename T>
T ReadBigEndian(ByteView bytes) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    value = static_cast<T>((value << 8) | bytes[i]);
  return value;
}

}  // namespace

void AppendU16(Bytes& out, uint16_t value) { AppendBigEndian(out, value); }
void AppendU32(Bytes& out, uint32_t value) { AppendBigEndian(out, value); }
void AppendU64(Bytes& out, uint64_t value) { AppendBigEndian(out, value); }
uint16_t ReadU16(ByteView bytes) { return ReadBigEndian<uint16_t>(bytes); }
uint32_t ReadU32(ByteView bytes) { return ReadBigEndian<uint32_t>(bytes); }
uint64_t ReadU64(ByteView bytes) { return ReadBigEndian<uint64_t>(bytes); }

}  // namespace amparo
