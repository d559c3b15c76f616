#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"

// The body of an add-checkpoint request (c2sp.org/tlog-witness): how a log asks
// a witness for a cosignature.

namespace amparo {

inline constexpr size_t kWitnessProofHashesMax = 63;
// As much as a witness of ours reads, and a log of ours sends.
inline constexpr size_t kAddCheckpointBytesMax = 64 << 10;
inline constexpr size_t kAddCheckpointSignaturesMax = 64;

// Well-formed, unverified.
struct AddCheckpoint {
  TreeSize old_size;          // of the checkpoint that the witness has
  std::vector<Digest> proof;  // RFC 6962 section 2.1.2, from there on
  // A checkpoint, an empty line, and what is to be its signatures: a line of
  // them that no note can have is a signature that does not verify.
  std::string note;
  bool operator==(const AddCheckpoint&) const = default;
};

// Precondition: at most kWitnessProofHashesMax hashes, and a signed note.
std::string FormatAddCheckpoint(const AddCheckpoint& request);
// INVALID_ARGUMENT for what FormatAddCheckpoint does not make, for a note whose
// text is no checkpoint, and beyond the limits.
absl::StatusOr<AddCheckpoint> ParseAddCheckpoint(absl::string_view body);

// How a witness says which size it has: decimal digits and a newline.
std::string FormatWitnessSize(TreeSize size);
absl::StatusOr<TreeSize> ParseWitnessSize(absl::string_view body);

}  // namespace amparo
