#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agents/auditor/access_endings.h"
#include "agents/auditor/access_export.h"
#include "agents/auditor/access_reviews.h"
#include "agents/auditor/own_cases.h"

namespace amparo::auditor {

// What an auditor asks an access log: who saw this case, what did this officer
// open, who opened this section (and not who took back a consent to it, unless
// `action` asks for that). Empty asks nothing; ids may be beginnings.
struct AccessFilter {
  std::string case_id, officer, section, action, grant;
  std::optional<absl::Time> from, until;  // until: exclusive
  // Looks at what a consent allowed that was taken back earlier in the log.
  bool after_revocation = false;
  // Whose ground is a basis without consent.
  bool without_consent = false;
  // Disclosures without consent that were not reviewed in time.
  bool late_reviews = false;
  // Looks of `officer` at cases that are not its own, by `own_cases` or,
  // without it, by the rule of OwnCases.
  bool outside_own_cases = false;
  std::optional<std::set<std::string>> own_cases;

  // Whether records depend on those that follow them.
  bool NeedsAll() const {
    return without_consent || late_reviews || outside_own_cases;
  }
};

// INVALID_ARGUMENT (code "usage") naming what is expected, for a section or an
// action that no record can have: its silence would read as an acquittal. The
// same for cases that are whose nobody said.
absl::Status CheckFilter(const AccessFilter& filter);

// Picks the records that a filter asks for. One thread at a time.
class AccessPick {
 public:
  explicit AccessPick(AccessFilter filter)
      : filter_(std::move(filter)),
        own_cases_(filter_.officer, filter_.own_cases) {}

  // Every record, in order, before anything else; without effect where the
  // filter does not need it.
  void Learn(const AccessRecord& record);
  // Once all is learned: what OwnCases::CheckKnown says, if it is asked.
  absl::Status CheckKnown() const;
  // When reviews are judged: at the newest time that anybody vouches for, which
  // is that of a record unless the network's log has a later checkpoint.
  void NoteAnchor(absl::Time at);
  absl::Time judged_at() const { return std::max(newest_, anchored_); }
  bool judged_by_anchor() const { return anchored_ >= newest_; }

  // Every record, in order: whether it is asked for.
  bool Takes(const AccessRecord& record);
  // Of a disclosure without consent, where the filter is about these.
  std::optional<BasisReview> ReviewOf(const AccessRecord& record) const;
  // Cases of the list that no record names.
  uint64_t unseen_cases() const { return own_cases_.unseen(); }

  const AccessFilter& filter() const { return filter_; }

 private:
  bool Fits(const AccessRecord& record) const;

  AccessFilter filter_;
  AccessEndings endings_;
  AccessReviews reviews_;
  OwnCases own_cases_;
  absl::Time newest_ = absl::InfinitePast(), anchored_ = absl::InfinitePast();
};

}  // namespace amparo::auditor
