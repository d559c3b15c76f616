#pragma once

#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker/store/store.h"
#include "crypto/note.h"

namespace amparo::broker {

// Before the broker serves: is the store still the log that was shown? The
// root of the newest checkpoint, and of each of `known` (notes kept elsewhere:
// a file, a witness), is recomputed from the stored nodes, in O(log n).
// DATA_LOSS ("root_mismatch" when one differs, "tampered" when the store is
// behind one, or its edge does not fit its nodes).
absl::Status CheckStart(const Store& store, const NoteVerifier& log,
                        std::span<const std::string> known = {});

// The root of the first `size` entries, from the stored nodes. DATA_LOSS when
// the store lacks one.
absl::StatusOr<Digest> StoredRoot(const Store& store, TreeSize size);

// Every entry against its node and every node against its children, O(n):
// what `check` runs. DATA_LOSS names the first leaf that does not fit.
absl::Status CheckWholeLog(const Store& store);

}  // namespace amparo::broker
