#pragma once

#include <map>
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
