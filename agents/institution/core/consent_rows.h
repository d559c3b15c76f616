#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "base/kv/kv.h"
#include "crypto/digest.h"
#include "proto/content/consent_form.h"
#include "proto/envelope/ids.h"

namespace amparo::agent {

// What a grant's issuer keeps beside it: the form as it was filled in, with the
// reasons that never leave, and where the evidence lies. Extending or narrowing
// the consent starts from here.
struct ConsentRecord {
  ConsentForm form;  // `from` and `until` of its permits are set
  std::optional<Digest> evidence_hash;  // salted; of the first grant's evidence
};

void KeepConsent(const GrantId& id, const ConsentRecord& record, Batch& rows);
// NOT_FOUND for a grant of another issuer.
absl::StatusOr<ConsentRecord> LoadConsent(const KeyValue& kv,
                                          const GrantId& id);

inline constexpr size_t kEvidenceBytesMax = 8 << 20;

// Keeps `evidence` under the grant, with a salt of its own. The result, which
// the grant shows, tells nothing about it, and proves it later.
Digest KeepEvidence(const GrantId& id, ByteView evidence, Batch& rows);

}  // namespace amparo::agent
