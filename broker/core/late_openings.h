#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker/core/mirror_source.h"
#include "broker/store/store.h"

namespace amparo::broker {

// Openings that come when their entries are in the store already: of a mirror
// that was not there when an earlier rebuild appended them.

// Adds to `store` what `mirrors` have of those that it lacks from leaf `from`
// on. DATA_LOSS, code "tampered", with the name of the mirror: one that does
// not fit its entry. Store::EndRebuilding must follow, for what was erased
// since.
absl::Status AddLateOpenings(Store& store,
                             const std::vector<MirrorSource*>& mirrors,
                             LeafIndex from);

// Commitments from leaf `from` on that nothing opens, and that no known erasure
// names.
absl::StatusOr<uint64_t> CountUnopened(const Store& store, LeafIndex from);

}  // namespace amparo::broker
