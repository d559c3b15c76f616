#include "agents/institution/core/review_desk.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "agents/institution/core/access.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/random.h"
#include "proto/content/without_consent.h"
#include "proto/envelope/review.h"

namespace amparo::agent {
namespace {

constexpr size_t kSaltBytes = 32;
constexpr size_t kPrefixCharsMin = 4;

// The institution's own bases of a case, with what their parts for several
// recipients say together.
std::map<WithoutConsentId, ReviewView> BasesOf(const Case& entry,
                                               const MemberId& self) {
  std::map<WithoutConsentId, ReviewView> bases;
  for (const CaseEvent& event : entry.events) {
    const auto* sent = std::get_if<DocumentSent>(&event.body);
    if (sent == nullptr || event.from != self) continue;
    for (const WithoutConsent& basis : sent->bases) {
      if (basis.issuer != self) continue;
      ReviewView& view =
          bases
              .try_emplace(
                  basis.id,
                  ReviewView{.id = basis.id,
                             .case_id = entry.state.case_id,
                             .referrals = {},
                             .recipients = {},
                             .sections = {},
                             .reason_code = basis.reason_code,
                             .risk_level = basis.risk_level,
                             .purpose = basis.purpose,
                             .legal_basis = basis.legal_basis,
                             .agreement_sought = basis.agreement_sought,
                             .informed_answer = basis.informed_answer,
                             .informed_date = basis.informed_date,
                             .decided_by = std::nullopt,
                             .decided_at = basis.at,
                             .due = basis.at + kReviewWithin,
                             .review = std::nullopt})
              .first->second;
      view.referrals.insert(sent->referral_id);
      view.recipients.insert(basis.recipient);
      view.sections.insert(basis.sections.begin(), basis.sections.end());
    }
  }
  return bases;
}

absl::Status Complete(const KeyValue& kv, absl::Time now, ReviewView& view) {
  ASSIGN_OR_RETURN(const BasisReasons reasons, LoadReasons(kv, view.id));
  view.decided_by = reasons.officer;
  ASSIGN_OR_RETURN(view.review, LoadReview(kv, view.id));
  view.late = (view.review ? view.review->at : now) > view.due;
  return absl::OkStatus();
}

absl::Status NoSuch() {
  return MakeError(
      absl::StatusCode::kNotFound, "no such disclosure without consent",
      {.code = "not_found",
       .field = "basis",
       .hint = "see what there is with `amparo review list --all`"});
}

// The one that begins so, among those that the officer may see.
absl::StatusOr<ReviewView> Find(const Desk& desk, const Officer& officer,
                                absl::string_view id) {
  if (id.size() < 2 + kPrefixCharsMin || !absl::StartsWith(id, "w-"))
    return NoSuch();
  std::optional<ReviewView> found;
  for (const auto& entry : VisibleCases(desk, officer))
    for (auto& [basis, view] : BasesOf(*entry, desk.cases.self())) {
      if (!absl::StartsWith(basis.text(), id)) continue;
      if (found)
        return MakeError(absl::StatusCode::kInvalidArgument,
                         "several bases begin like this",
                         {.code = "ambiguous_id",
                          .field = "basis",
                          .expected = "more characters of the id"});
      found = std::move(view);
    }
  if (!found) return NoSuch();
  RETURN_IF_ERROR(Complete(desk.kv, TakeMoment(desk).now, *found));
  return *std::move(found);
}

absl::Status CheckInput(const std::string& outcome, const std::string& note) {
  if (!IsReviewOutcome(outcome))
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "a review has another outcome",
                     {.code = "usage",
                      .field = "outcome",
                      .expected = "justified, excessive or unjustified"});
  if (note.size() > kReviewNoteBytesMax)
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "the note is longer than 64 KiB",
                     {.code = "too_large", .field = "note"});
  return absl::OkStatus();
}

// The second approver is a text of the form: a handle, where it is one of ours.
absl::Status MayReview(const Officer& officer, const ReviewView& view,
                       const BasisReasons& reasons) {
  const bool approved = absl::EqualsIgnoreCase(
      absl::StripAsciiWhitespace(reasons.second_approver),
      officer.handle.text());
  if (view.decided_by != officer.id && !approved) return absl::OkStatus();
  return MakeError(absl::StatusCode::kPermissionDenied,
                   "who decided or approved a disclosure does not review it",
                   {.code = "role_missing",
                    .field = "basis",
                    .hint = "another supervisor does; where there is none, "
                            "your administrator makes one with `amparo "
                            "officer add NAME --role supervisor`"});
}

AccessLog::Entry RecordOf(const Officer& officer, const ReviewView& view,
                          const BasisReviewed& review) {
  return {.officer = officer.id,
          .action = "without_consent_review",
          .case_id = view.case_id,
          .sections = {},
          .grant_or_basis = view.id.text(),
          .justification =
              review.note.empty()
                  ? ""
                  : TextsDigest(review.salt, Json{{"note", review.note}})
                        .ToString(),
          .review = review.outcome};
}

}  // namespace

absl::StatusOr<std::vector<ReviewView>> ReviewDesk::List(const Officer& officer,
                                                         bool all) const {
  RETURN_IF_ERROR(AllowedByRole(officer, Action::kReview));
  const absl::Time now = TakeMoment(desk_).now;
  std::vector<ReviewView> rows;
  for (const auto& entry : VisibleCases(desk_, officer))
    for (auto& [id, view] : BasesOf(*entry, desk_.cases.self())) {
      RETURN_IF_ERROR(Complete(desk_.kv, now, view));
      if (all || !view.review) rows.push_back(std::move(view));
    }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const ReviewView& a, const ReviewView& b) {
                     if (a.review.has_value() != b.review.has_value())
                       return b.review.has_value();
                     return a.due < b.due;
                   });
  return rows;
}

absl::StatusOr<ReviewDesk::Whole> ReviewDesk::Show(const Officer& officer,
                                                   absl::string_view id) const {
  RETURN_IF_ERROR(AllowedByRole(officer, Action::kReview));
  ASSIGN_OR_RETURN(ReviewView view, Find(desk_, officer, id));
  RETURN_IF_ERROR(desk_.access_log.Write({.officer = officer.id,
                                          .action = "without_consent_show",
                                          .case_id = view.case_id,
                                          .sections = {},
                                          .grant_or_basis = view.id.text()}));
  ASSIGN_OR_RETURN(BasisReasons reasons, LoadReasons(desk_.kv, view.id));
  return Whole{std::move(view), std::move(reasons)};
}

absl::StatusOr<ReviewView> ReviewDesk::Record(const Officer& officer,
                                              absl::string_view id,
                                              const std::string& outcome,
                                              const std::string& note) {
  RETURN_IF_ERROR(AllowedByRole(officer, Action::kReview));
  RETURN_IF_ERROR(CheckInput(outcome, note));
  ASSIGN_OR_RETURN(ReviewView view, Find(desk_, officer, id));
  ASSIGN_OR_RETURN(const BasisReasons reasons, LoadReasons(desk_.kv, view.id));
  RETURN_IF_ERROR(MayReview(officer, view, reasons));
  const absl::Time now = TakeMoment(desk_).now;
  const auto decide = [&](const Case*) -> absl::StatusOr<CaseChange> {
    RETURN_IF_ERROR(Complete(desk_.kv, now, view));
    if (view.review) {
      if (view.review->officer == officer.id &&
          view.review->outcome == outcome && view.review->note == note)
        return CaseChange();
      return MakeError(absl::StatusCode::kAlreadyExists,
                       "it was reviewed before",
                       {.code = "conflict",
                        .field = "basis",
                        .hint = "see it with `amparo review show`"});
    }
    BasisReviewed review{.officer = officer.id,
                         .at = now,
                         .outcome = outcome,
                         .salt = RandomBytes(kSaltBytes),
                         .note = note};
    Batch rows;
    KeepReview(view.id, review, rows);
    RETURN_IF_ERROR(desk_.access_log.Write(RecordOf(officer, view, review),
                                           std::move(rows)));
    view.review = std::move(review);
    view.late = now > view.due;
    return CaseChange();
  };
  RETURN_IF_ERROR(desk_.cases.Change(view.case_id, decide).status());
  return view;
}

absl::Status ReviewDesk::Ring(Alarms& alarms) const {
  std::optional<absl::Time> since;
  for (const auto& entry : desk_.cases.All()) {
    if (entry->state.authority.bases.empty()) continue;
    for (const auto& [id, view] : BasesOf(*entry, desk_.cases.self())) {
      ASSIGN_OR_RETURN(const auto review, LoadReview(desk_.kv, id));
      if (!review)
        since = std::min(since.value_or(view.decided_at), view.decided_at);
    }
  }
  if (since)
    alarms.Raise("review_due", std::nullopt, *since);
  else
    alarms.Settle("review_due", std::nullopt);
  return absl::OkStatus();
}

}  // namespace amparo::agent
