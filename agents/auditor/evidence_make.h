#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "agents/auditor/evidence.h"
#include "agents/auditor/leaf_source.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"

namespace amparo::auditor {

// The pack of evidence about entry `subject` of the log that `source` shows,
// with `document` if a party gave one. The log is replayed for it, and the pack
// judged before it is handed out: DATA_LOSS (code "verification_failed")
// when the log does not bear it out. NOT_FOUND: no such entry, or one whose
// opening is gone.
absl::StatusOr<Evidence> MakeEvidence(LeafSource& source, LeafIndex subject,
                                      const std::optional<Digest>& root,
                                      std::optional<EvidenceDocument> document);

// One entry and its place under the source's checkpoint, for `show`. Nothing is
// verified. NOT_FOUND as above, but without an opening it is as it is.
absl::StatusOr<EvidenceEntry> FetchEntry(LeafSource& source, LeafIndex index,
                                         TreeSize size);

}  // namespace amparo::auditor
