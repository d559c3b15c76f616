#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/institution/core/case_book.h"
#include "agents/institution/core/outbox.h"
#include "agents/institution/core/peer_book.h"
#include "crypto/keys.h"
#include "proto/content/section.h"

namespace amparo::agent {

// Disclosures by the slot that each names. INVALID_ARGUMENT for what is no
// disclosure of the schema.
absl::StatusOr<std::map<Slot, Disclosure>> BySlot(
    const std::vector<Disclosure>& disclosures);

// The contents of every document from `granter` that hold one of `slots`,
// without them; only of those in the log before `before`, if given.
absl::StatusOr<std::map<ContentId, Content>> ContentsWithout(
    const CaseBook& cases, const Case& entry, const MemberId& granter,
    const std::set<Slot>& slots,
    std::optional<LeafIndex> before = std::nullopt);

struct EraseContext {
  CaseBook& cases;
  Outbox& outbox;
  const Peers& peers;
  const SigningKey& signer;
  absl::Time now;
};

// Destroys every section of case `id` that came from `granter` and that no
// grant or basis covers any more, and queues the signed answer to the
// revocation of `grant`. Doing it again changes nothing.
absl::Status EraseUncovered(const EraseContext& context, const CaseId& id,
                            const MemberId& granter, const Digest& grant);

}  // namespace amparo::agent
