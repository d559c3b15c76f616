// Disclosures without consent and their reviews, for people.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agents/officer/fields.h"
#include "agents/officer/render_text.h"
#include "agents/officer/table.h"
#include "base/json.h"
#include "base/status.h"

namespace amparo::officer {
namespace {

std::string StateOf(const v1::ReviewView& review) {
  if (review.outcome().empty()) return review.late() ? "LATE" : "due";
  return absl::StrCat(Words(review.outcome()), review.late() ? ", late" : "");
}

}  // namespace

absl::StatusOr<std::string> ToText(const v1::ListReviewsResponse& list,
                                   const TextStyle& style) {
  if (list.reviews().empty()) return "No review is due.\n";
  Table table({"Basis", "Case", "To", "Reason", "Decided by", "Due", "Review"});
  for (const v1::ReviewView& review : list.reviews()) {
    std::vector<std::string> cells = {ShortId(review.basis_id()),
                                      ShortId(review.case_id()),
                                      Listing(review.recipients()),
                                      Words(review.reason_code()),
                                      ShortId(review.decided_by()),
                                      TimeText(review.due_at_s(), style),
                                      StateOf(review)};
    if (review.late() && review.outcome().empty())
      table.AddAlarming(std::move(cells));
    else
      table.Add(std::move(cells));
  }
  return table.Text(style);
}

absl::StatusOr<std::string> ToText(const v1::ReviewView& review,
                                   const TextStyle& style) {
  Facts facts;
  facts.Add("Basis", Printable(review.basis_id()));
  facts.Add("Case", Printable(review.case_id()));
  facts.Add("Referrals", Listing(review.referral_ids()));
  facts.Add("To", Listing(review.recipients()));
  facts.Add("Sections", Listing(review.sections()));
  facts.Add("Reason", Words(review.reason_code()));
  facts.Add("Risk", Words(review.risk_level()));
  facts.Add("Purpose", Words(review.purpose()));
  facts.Add("Legal basis", Listing(review.legal_basis()));
  facts.Add("Agreement sought", Words(review.agreement_sought()));
  facts.Add("Person informed",
            absl::StrJoin({Words(review.person_informed()),
                           Printable(review.person_informed_date())},
                          review.person_informed_date().empty() ? "" : ", "));
  facts.Add("Approved by", Printable(review.second_approver()));
  facts.Add("Decided by", Printable(review.decided_by()));
  facts.Add("Decided", LongTimeText(review.decided_at_s(), style));
  facts.Add("Review due", LongTimeText(review.due_at_s(), style));
  facts.Add("Review", StateOf(review));
  facts.Add("Reviewed by", Printable(review.reviewed_by()));
  if (review.reviewed_at_s() > 0)
    facts.Add("Reviewed", LongTimeText(review.reviewed_at_s(), style));
  facts.Add("Note", Printable(review.note(), /*lines=*/true));
  if (review.reasons_json().empty()) return facts.Text();
  const auto reasons = ParseJson(review.reasons_json());
  if (!reasons.ok())
    return absl::InternalError("the agent gave reasons that are no JSON");
  return absl::StrCat(facts.Text(), "\n", Heading("Why", style), "\n",
                      FieldsText(*reasons, 2, style));
}

}  // namespace amparo::officer
