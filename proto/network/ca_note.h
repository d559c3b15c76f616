#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
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
  // A higher one is newer. From 1 on, and the time of the change, in Unix
  // seconds, at least: a broker that was put back does not fall behind.
  uint64_t number = 1;
  Bytes ca_der;  // the broker's ports show its certificates
  // While the CA changes: takes its place, and issues to members already.
  std::optional<Bytes> next_ca_der;
};

// A signed note by `log_keys`, under the network's name.
absl::StatusOr<std::string> SignCaNote(
    const CaNote& note, const std::vector<const SigningKey*>& log_keys);

// The note, when one of `log_keys` signed it and no signature by any of them is
// bad. PERMISSION_DENIED (code "verification_failed") when not, when it is of
// another network, or when its number is more than a day after `now`: who takes
// it could follow no later one. INVALID_ARGUMENT for what is no such note.
absl::StatusOr<CaNote> VerifyCaNote(absl::string_view text,
                                    absl::string_view network,
                                    const std::vector<NoteVerifier>& log_keys,
                                    absl::Time now);

// A note that was verified before it was kept: no signature is looked at.
absl::StatusOr<CaNote> ParseCaNote(absl::string_view text);

// PEM of one CA, and of the next one if there is one: what a client trusts.
absl::StatusOr<std::string> CaBundle(ByteView ca_der,
                                     const std::optional<Bytes>& next_ca_der);

}  // namespace amparo
