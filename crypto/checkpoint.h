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
// INVALID_ARGUMENT for what FormatCheckpoint does not make of a checkpoint.
absl::StatusOr<Checkpoint> ParseCheckpoint(absl::string_view text);

// The same of `note`, a signed note, whoever signed it.
absl::StatusOr<Checkpoint> PeekCheckpoint(absl::string_view note);

// A signed note by the log's key, under the origin as its name.
// INVALID_ARGUMENT for an origin or extension that would not be read back.
absl::StatusOr<std::string> SignCheckpoint(const Checkpoint& checkpoint,
                                           const SigningKey& log_key);

// Checkpoint of `note` when its origin is `log`'s name and `log` signed it.
// INVALID_ARGUMENT: no checkpoint; NOT_FOUND: not signed by `log`;
// PERMISSION_DENIED: a bad signature, or another log's origin.
absl::StatusOr<Checkpoint> VerifyCheckpoint(absl::string_view note,
                                            const NoteVerifier& log);

// Cosignature/v1 of a witness at `time`, in whole seconds, over the text of a
// checkpoint. INVALID_ARGUMENT for another text, a bad name, a time before 1970.
absl::StatusOr<NoteSignature> CosignCheckpoint(absl::string_view note_text,
                                               absl::string_view witness_name,
                                               const SigningKey& witness_key,
                                               absl::Time time);
// The time of the cosignature by `witness` (type kCosignatureV1) on `note`, the
// newest if there are several; errors as VerifyNote.
absl::StatusOr<absl::Time> VerifyCosignature(const Note& note,
                                             const NoteVerifier& witness);

// A log says itself when it shows a checkpoint: `note` with one cosignature
// more, by the log's own key under the origin as its name, at `time`.
absl::StatusOr<std::string> TimeCheckpoint(absl::string_view note,
                                           const SigningKey& log_key,
                                           absl::Time time);
// The time of that cosignature by `log` (type kEd25519, as for
// VerifyCheckpoint); NOT_FOUND when the note bears none, else as VerifyNote.
absl::StatusOr<absl::Time> TimeOfCheckpoint(absl::string_view note,
                                            const NoteVerifier& log);

}  // namespace amparo
