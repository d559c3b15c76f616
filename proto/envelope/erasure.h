#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "crypto/merkle.h"
#include "proto/network/member.h"

namespace amparo {

// A party asks that openings be destroyed: JWS by its signing key. The log
// then still verifies, and says who asked for which leaves and by what right.
inline constexpr char kErasureTyp[] = "amparo-erasure+jwt";
inline constexpr size_t kErasureBytesMax = 4096;

enum class ErasureAuthority {
  kParty,       // an end of the envelope, or whose anchor it is
  kCaseOpener,  // who opened the case, when the other end does not answer
};

struct Erasure {
  Digest net;
  MemberId member;
  absl::Time at;
  ErasureAuthority authority = ErasureAuthority::kParty;
  std::vector<LeafIndex> leaves;  // ascending, each once, at least one
  bool operator==(const Erasure&) const = default;
};
// Precondition: `leaves` as said there, few enough for kErasureBytesMax.
std::string SignErasure(const Erasure& erasure, const SigningKey& key);
struct VerifiedErasure {
  Erasure erasure;
  Digest kid;
};
// INVALID_ARGUMENT for malformed, PERMISSION_DENIED for a bad signature.
absl::StatusOr<VerifiedErasure> VerifyErasure(absl::string_view token,
                                              const KeyLookup& keys);
absl::StatusOr<Erasure> PeekErasure(absl::string_view token);

}  // namespace amparo
