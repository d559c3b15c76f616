#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "base/json.h"
#include "base/kv/kv.h"
#include "proto/envelope/ids.h"

// What this agent keeps of its own disclosures without consent, sealed at rest
// and backed up with the store.

namespace amparo::agent {

// Why, in an officer's words; what was signed holds their salted hash.
struct BasisReasons {
  OfficerId officer;  // who decided
  Bytes salt;
  Json texts;
  std::string second_approver;  // or empty
};
void KeepReasons(const WithoutConsentId& id, const BasisReasons& reasons,
                 Batch& rows);
// NOT_FOUND for a basis that was not declared here.
absl::StatusOr<BasisReasons> LoadReasons(const KeyValue& kv,
                                         const WithoutConsentId& id);

// What a supervisor thought of it.
struct BasisReviewed {
  OfficerId officer;
  absl::Time at;
  std::string outcome;  // one of kReviewOutcomes
  Bytes salt;
  std::string note;  // or empty
};
void KeepReview(const WithoutConsentId& id, const BasisReviewed& review,
                Batch& rows);
// Nullopt while it was not reviewed.
absl::StatusOr<std::optional<BasisReviewed>> LoadReview(
    const KeyValue& kv, const WithoutConsentId& id);

}  // namespace amparo::agent
