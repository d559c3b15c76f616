#pragma once

#include <optional>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "crypto/jws.h"
#include "crypto/keys.h"
#include "proto/network/charter.h"

// A version on its way from the draft to publication, collecting signatures.

namespace amparo::committee {

// `pending` goes on where there is one; else a document for `draft` begins,
// unsigned. FAILED_PRECONDITION (code "conflict") when `pending` says another
// thing than the draft: what was signed must not change.
absl::StatusOr<MultiJws> BeginOrContinue(
    const Charter& draft, const std::optional<MultiJws>& pending);

// How far `jws` is: different members with a good signature, by the version
// before (of which there is none for version 1) and by the document itself.
struct Progress {
  std::set<std::string> key_ids;  // that signed
  uint32_t old_have = 0, old_need = 0;
  uint32_t new_have = 0, new_need = 0;
  bool Complete() const { return old_have >= old_need && new_have >= new_need; }
};
Progress ProgressOf(const MultiJws& jws,
                    const std::optional<AcceptedCharter>& before,
                    const Charter& draft);

// Governance key `id` of the draft, or of the version before.
const GovernanceKey* FindGovernanceKey(
    const std::string& id, const std::optional<AcceptedCharter>& before,
    const Charter& draft);

// A signature under the name of key `id` that is not by it.
absl::Status BadSignature(const std::string& id);

// PERMISSION_DENIED (code "verification_failed") names the governance key of
// `draft`, or of the version before, under whose name `jws` has a signature
// that does not hold. Signatures of other keys count for nothing.
absl::Status CheckSignatures(const MultiJws& jws,
                             const std::optional<AcceptedCharter>& before,
                             const Charter& draft);

// Adds the governance signatures of `other` that `jws` lacks; how many. As
// CheckSignatures(other); FAILED_PRECONDITION (code "conflict") when it is of
// another document.
absl::StatusOr<int> MergeSignatures(
    const MultiJws& other, const std::optional<AcceptedCharter>& before,
    const Charter& draft, MultiJws& jws);

}  // namespace amparo::committee
