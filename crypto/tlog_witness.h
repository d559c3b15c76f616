#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/checkpoint.h"
#include "crypto/note.h"

// What a witness answers to add-checkpoint (c2sp.org/tlog-witness), decided
// from what it remembers and nothing else: no disk, no clock, no key.

namespace amparo {

// What a witness remembers of one log.
struct WitnessedLog {
  // The log's keys, type 0x01, each named as its origin: mostly one, two while
  // they change.
  std::vector<NoteVerifier> keys;
  // The newest checkpoint that was cosigned, as the log signed it; empty before
  // the first.
  std::string note;
  // What `note` says; the empty tree before the first.
  Checkpoint checkpoint;
};
// By origin.
using WitnessMemory = std::map<std::string, WitnessedLog>;

// A log of `keys` that was never cosigned, or of which `note` was the newest.
// INVALID_ARGUMENT unless the keys have one name and are of type 0x01;
// PERMISSION_DENIED unless one of them signed `note`.
absl::StatusOr<WitnessedLog> RememberLog(std::vector<NoteVerifier> keys,
                                         const std::string& note);

// What two notes, each under the log's own signature, prove against it.
enum class LogFault {
  kNone,
  kFork,          // one size and two roots
  kInconsistent,  // the larger log begins otherwise, as the request's own proof
                  // shows
  kRollback,      // by the log's signed times the smaller one was handed out
                  // later
};
absl::string_view NameOf(LogFault fault);  // "fork", ...

struct WitnessVerdict {
  unsigned status = 400;  // HTTP; 200: to be remembered, then cosigned
  std::string says;       // the answer's body, but for 200
  // Set when a key of the log signed what was sent: the log that it is of, and
  // the checkpoint.
  std::string origin;
  std::string note;
  Checkpoint checkpoint;
  // Then the note remembered and `note` are the evidence.
  LogFault fault = LogFault::kNone;

  bool SaysSize() const { return status == 409; }  // as text/x.tlog.size
};

// The verdict on the request `body`. Whoever cosigns after 200 must have put
// `note` in the place of the one remembered, on disk, before the cosignature
// leaves; nothing else may have come in between.
WitnessVerdict JudgeAddCheckpoint(const WitnessMemory& memory,
                                  absl::string_view body);

}  // namespace amparo
