#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "crypto/note.h"

// C2SP checkpoints (c2sp.org/tlog-checkpoint) and cosignatures
// (c2sp.org/tlog-cosignature).

namespace amparo {

struct Checkpoint {
  std::string origin;
  TreeSize size;
  Digest root;
  std::vector<std::string> extensions;  // lines, mostly none
  bool operator==(const Checkpoint&) const = default;
};

// The body: origin, size, root in base64, extensions; a line each.
std::string FormatCheckpoint(const Checkpoint& checkpoint);
absl::StatusOr<Checkpoint> ParseCheckpoint(absl::string_view text);

// A signed note by the log's key.
absl::StatusOr<std::string> SignCheckpoint(const Checkpoint& checkpoint,
                                           const SigningKey& log_key);

// Checkpoint of `note` when its origin is `log`'s name and `log` signed it.
absl::StatusOr<Checkpoint> VerifyCheckpoint(absl::string_view note,
                                            const NoteVerifier& log);

// Cosignature/v1 of a witness at `time` over the note's text.
absl::StatusOr<NoteSignature> CosignCheckpoint(absl::string_view note_text,
                                               absl::string_view witness_name,
                                               const SigningKey& witness_key,
                                               absl::Time time);
// The time of the cosignature by `witness` (type kCosignatureV1) on `note`;
// errors as VerifyNote.
absl::StatusOr<absl::Time> VerifyCosignature(const Note& note,
                                             const NoteVerifier& witness);

}  // namespace amparo
