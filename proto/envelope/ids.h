#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"
#include "base/encoding.h"
#include "base/status.h"
#include "crypto/random.h"

namespace amparo {

// 16 random bytes; as text a letter, "-", and 26 characters of base32
// (RFC 4648, lower case). Ids of different letters do not convert.
template <char kLetter>
class RandomId {
 public:
  static constexpr size_t kSize = 16;

  static RandomId New() { return RandomId(RandomArray<kSize>()); }
  // INVALID_ARGUMENT unless exactly 16 bytes.
  static absl::StatusOr<RandomId> FromBytes(ByteView bytes) {
    if (bytes.size() != kSize)
      return absl::InvalidArgumentError("an id has 16 bytes");
    std::array<uint8_t, kSize> array;
    std::copy(bytes.begin(), bytes.end(), array.begin());
    return RandomId(array);
  }
  // Whole ids only; prefixes are resolved where ids are listed.
  static absl::StatusOr<RandomId> Parse(absl::string_view text) {
    if (text.size() != 28 || text[0] != kLetter || text[1] != '-')
      return absl::InvalidArgumentError("not an id of this kind");
    ASSIGN_OR_RETURN(const Bytes bytes, FromBase32(text.substr(2)));
    return FromBytes(bytes);
  }
  std::string text() const {
    return std::string{kLetter, '-'} + ToBase32(bytes_);
  }
  ByteView bytes() const { return bytes_; }
  auto operator<=>(const RandomId&) const = default;

  template <typename H>
  friend H AbslHashValue(H h, const RandomId& id) {
    return H::combine(std::move(h), id.bytes_);
  }

 private:
  explicit RandomId(const std::array<uint8_t, kSize>& bytes) : bytes_(bytes) {}
  std::array<uint8_t, kSize> bytes_;
};

using ReferralId = RandomId<'r'>;
using CaseId = RandomId<'c'>;
using GrantId = RandomId<'g'>;
using WithoutConsentId = RandomId<'w'>;
using EventId = RandomId<'e'>;
using EnvelopeId = RandomId<'n'>;
using OfficerId = RandomId<'o'>;

}  // namespace amparo
