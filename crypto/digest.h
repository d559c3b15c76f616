#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"

namespace amparo {

// A SHA-256 value (FIPS 180-4).
class Digest {
 public:
  static constexpr size_t kSize = 32;

  constexpr Digest() : bytes_{} {}  // all zeros: "none"
  constexpr explicit Digest(const std::array<uint8_t, kSize>& bytes)
      : bytes_(bytes) {}
  // INVALID_ARGUMENT unless exactly 32 bytes.
  static absl::StatusOr<Digest> FromBytes(ByteView bytes);
  // "sha256:" + 64 lower-case hex digits, and nothing else.
  static absl::StatusOr<Digest> Parse(absl::string_view text);

  std::string ToString() const;  // as Parse takes it
  ByteView bytes() const { return bytes_; }
  const std::array<uint8_t, kSize>& array() const { return bytes_; }
  bool IsZero() const { return *this == Digest(); }
  auto operator<=>(const Digest&) const = default;

  template <typename H>
  friend H AbslHashValue(H h, const Digest& digest) {
    return H::combine(std::move(h), digest.bytes_);
  }

 private:
  std::array<uint8_t, kSize> bytes_;
};

Digest Sha256(ByteView bytes);
inline Digest Sha256(absl::string_view text) { return Sha256(AsBytes(text)); }

// H(label; fields...) of docs/PROTOCOL.md: SHA-256 over the label with its
// length in one byte, then the fields in the order they are added. The label
// keeps it apart from every other hash, and from RFC 6962's, whose input
// starts with 0x00 or 0x01. One thread at a time.
class LabelledHash {
 public:
  // `label`: 2 to 255 bytes.
  explicit LabelledHash(absl::string_view label);
  ~LabelledHash();
  LabelledHash(const LabelledHash&) = delete;
  LabelledHash& operator=(const LabelledHash&) = delete;

  // A field whose size the label fixes: raw.
  LabelledHash& Fixed(ByteView bytes);
  LabelledHash& Fixed(const Digest& digest) { return Fixed(digest.bytes()); }
  // A field of any size: its length in 8 bytes, big-endian, then the bytes.
  LabelledHash& Variable(ByteView bytes);
  LabelledHash& Variable(absl::string_view text) {
    return Variable(AsBytes(text));
  }
  // Begins a list: its count in 8 bytes, big-endian; its items follow.
  LabelledHash& List(uint64_t count);

  // Call once.
  Digest Finish();

 private:
  void* context_;  // EVP_MD_CTX; OpenSSL's SHA-256 uses the processor's own
};

}  // namespace amparo
