#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "crypto/note.h"

namespace amparo::auditor {

// A log's key, as people name one: a verifier key, as charter and network.json
// have it, or the path of a network.json.
absl::StatusOr<NoteVerifier> ReadLogKey(const std::string& key_or_file);

}  // namespace amparo::auditor
