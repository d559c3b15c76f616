#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agents/institution/core/case_book.h"
#include "agents/institution/core/desk.h"
#include "proto/content/policy.h"
#include "proto/content/section.h"
#include "proto/content/without_consent.h"

namespace amparo::agent {

// What policy allowed, as an event names it: each slot with its authority.
std::map<Slot, std::string> AllowedSlots(
    const std::vector<SectionDecision>& decisions);

// A document, or more of one, on its way out: the same for all recipients.
struct DocumentStep {
  EventKind kind = EventKind::kReferral;  // referral updated disclosed
  EventId event_id;
  EventId content_of;  // the event whose content the document is
  const Content& content;
  ReferralId referral_id;
  Digest document;
  std::optional<Digest> prev;
  Priority priority = Priority::kRoutine;
};

// Adds the event and the draft for one recipient, of the sections that
// `decisions` allow. INVALID_ARGUMENT (code "too_large") when no envelope could
// carry them: found out before anything is stored.
absl::Status AddDocument(const Desk& desk, const Moment& moment,
                         const DocumentStep& step, const Transfer& transfer,
                         const std::vector<SectionDecision>& decisions,
                         const std::vector<WithoutConsent>& bases,
                         CaseChange& change);

}  // namespace amparo::agent
