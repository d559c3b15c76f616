#include "base/encoding.h"

#include <array>

namespace amparo {
namespace {

constexpr absl::string_view kHex = "0123456789abcdef";
constexpr absl::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr absl::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr absl::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// One codec for all alphabets of 2^bits letters: bits are taken from the most
// significant end, the last letter is filled with zeros.
std::string Encode(ByteView bytes, absl::string_view alphabet, int bits) {
  std::string text;
  text.reserve((bytes.size() * 8 + static_cast<size_t>(bits) - 1) /
               static_cast<size_t>(bits));
  uint32_t buffer = 0;
  int held = 0;
  for (uint8_t byte : bytes) {
    buffer = (buffer << 8) | byte;
    held += 8;
    while (held >= bits) {
      held -= bits;
      text += alphabet[(buffer >> held) & ((1u << bits) - 1)];
    }
    buffer &= (1u << held) - 1;
  }
  if (held > 0) text += alphabet[(buffer << (bits - held)) & ((1u << bits) - 1)];
  return text;
}

absl::StatusOr<Bytes> Decode(absl::string_view text, absl::string_view alphabet,
                             int bits, absl::string_view name) {
  const auto refused = [&] {
    return absl::InvalidArgumentError(std::string("not canonical ") +
                                      std::string(name));
  };
  std::array<int8_t, 256> value;
  value.fill(-1);
  for (size_t i = 0; i < alphabet.size(); ++i)
    value[static_cast<uint8_t>(alphabet[i])] = static_cast<int8_t>(i);
  Bytes bytes;
  bytes.reserve(text.size() * static_cast<size_t>(bits) / 8);
  uint32_t buffer = 0;
  int held = 0;
  for (char letter : text) {
    const int8_t v = value[static_cast<uint8_t>(letter)];
    if (v < 0) return refused();
    buffer = (buffer << bits) | static_cast<uint32_t>(v);
    held += bits;
    if (held >= 8) {
      held -= 8;
      bytes.push_back(static_cast<uint8_t>(buffer >> held));
      buffer &= (1u << held) - 1;
    }
  }
  // A whole letter left over, or set filling bits, is a second spelling.
  if (held >= bits || buffer != 0) return refused();
  return bytes;
}

}  // namespace

std::string ToHex(ByteView bytes) { return Encode(bytes, kHex, 4); }
absl::StatusOr<Bytes> FromHex(absl::string_view text) {
  return Decode(text, kHex, 4, "hex");
}

std::string ToBase64Url(ByteView bytes) { return Encode(bytes, kBase64Url, 6); }
absl::StatusOr<Bytes> FromBase64Url(absl::string_view text) {
  return Decode(text, kBase64Url, 6, "base64url");
}

std::string ToBase64(ByteView bytes) {
  std::string text = Encode(bytes, kBase64, 6);
  while (text.size() % 4 != 0) text += '=';
  return text;
}
absl::StatusOr<Bytes> FromBase64(absl::string_view text) {
  if (text.size() % 4 != 0) return absl::InvalidArgumentError("not base64");
  size_t padding = 0;
  while (padding < 2 && padding < text.size() &&
         text[text.size() - 1 - padding] == '=')
    ++padding;
  return Decode(text.substr(0, text.size() - padding), kBase64, 6, "base64");
}

std::string ToBase32(ByteView bytes) { return Encode(bytes, kBase32, 5); }
absl::StatusOr<Bytes> FromBase32(absl::string_view text) {
  return Decode(text, kBase32, 5, "base32");
}

}  // namespace amparo
