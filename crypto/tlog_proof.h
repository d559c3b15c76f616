#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"

// Proofs that go along with what they prove: C2SP tlog-proof
// (c2sp.org/tlog-proof), text.

namespace amparo {

struct TlogProof {
  LeafIndex index;
  std::vector<Digest> hashes;  // of the inclusion proof, from the leaf up
  std::string checkpoint;      // a signed note
  Bytes extra;                 // mostly none
  bool operator==(const TlogProof&) const = default;
};

// A path has no more hashes than an index has bits.
inline constexpr size_t kProofHashesMax = 64;

std::string FormatTlogProof(const TlogProof& proof);
// INVALID_ARGUMENT for what FormatTlogProof does not make. Nothing is
// verified.
absl::StatusOr<TlogProof> ParseTlogProof(absl::string_view text);

}  // namespace amparo
