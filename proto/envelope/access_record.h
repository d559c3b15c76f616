#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/bytes.h"

// A leaf of an institution's access log (docs/PROTOCOL.md, Access log export):
// the agent writes them, an auditor reads them.

namespace amparo {

inline constexpr size_t kAccessRecordBytesMax = 64 << 10;

// One look at content, or one decision. Pseudonyms and codes, never a name or a
// text; empty where they do not apply.
struct AccessRecord {
  uint64_t seq = 0;  // from 0: leaf index in the access log's tree
  absl::Time at;
  Bytes nonce;  // 16 random bytes: a record cannot be guessed from its hash
  std::string officer;         // OfficerId text; empty: the agent itself
  std::string affiliation;     // member id
  std::string action;          // "section_open", "referral_send", ...
  std::string case_pseudonym;  // CaseId text
  std::vector<std::string> sections;
  std::string grant_or_basis;  // GrantId or WithoutConsentId text
  std::string justification;   // sha256:... of a written reason
  std::string outcome;         // "ok" or an error code
  // Written only where they apply, after the others.
  std::string from;        // member whose sections, or whose grant, it is about
  std::string supersedes;  // GrantId: `sections` were taken back from it
  std::string review;      // outcome of a review
};

// JSON, keys in the order above: the leaf's bytes.
Bytes EncodeAccessRecord(const AccessRecord& record);
// INVALID_ARGUMENT for what is no record.
absl::StatusOr<AccessRecord> DecodeAccessRecord(ByteView bytes);

}  // namespace amparo
