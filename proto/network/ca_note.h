#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"
#include "crypto/keys.h"
#include "crypto/note.h"

namespace amparo {

// Which certificate authorities (CA) a network's ports are known by, told by
// the log's key, which the charter names: a thief of a CA's key, who can pose
// as the broker, cannot put another CA in its place (docs/PROTOCOL.md,
// Joining).
struct CaNote {
  std::string network;
  uint64_t number = 1;  // counts the changes: a higher one is newer
  Bytes ca_der;         // the broker's ports show its certificates
  // While the CA changes: takes its place, and issues to members already.
  std::optional<Bytes> next_ca_der;
};

// A signed note by `log_keys`, under the network's name.
absl::StatusOr<std::string> SignCaNote(
    const CaNote& note, const std::vector<const SigningKey*>& log_keys);

// The note, when one of `log_keys` signed it and no signature by any of them is
// bad. PERMISSION_DENIED (code "verification_failed") when not, or when it is
// of another network; INVALID_ARGUMENT for what is no such note.
absl::StatusOr<CaNote> VerifyCaNote(absl::string_view text,
                                    absl::string_view network,
                                    const std::vector<NoteVerifier>& log_keys);

// PEM of one CA, and of the next one if there is one: what a client trusts.
absl::StatusOr<std::string> CaBundle(ByteView ca_der,
                                     const std::optional<Bytes>& next_ca_der);

}  // namespace amparo
