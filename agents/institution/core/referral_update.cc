#include <set>
#include <utility>

#include "agents/institution/core/access.h"
#include "agents/institution/core/document_step.h"
#include "agents/institution/core/own_versions.h"
#include "agents/institution/core/referral_desk.h"
#include "agents/institution/core/referral_views.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/content/referral_document.h"
#include "proto/content/referral_form.h"
#include "proto/content/summary.h"

namespace amparo::agent {
namespace {

// An update on its way to every recipient of the referral that may have any of
// it.
struct NextVersion {
  const Desk& desk;
  const Moment& moment;
  const SigningKey& key;
  const UpdateForm& form;
  EventId event_id = EventId::New();

  absl::StatusOr<IssuedReferral> Issue(const OwnVersion& newest,
                                       const CaseId& case_id) const;
  absl::StatusOr<CaseChange> Change(const OwnVersion& newest,
                                    const Case& current) const;
};

absl::StatusOr<IssuedReferral> NextVersion::Issue(const OwnVersion& newest,
                                                  const CaseId& case_id) const {
  return IssueReferral({.net = moment.net(),
                        .issuer = desk.cases.self(),
                        .issued_at = moment.now,
                        .event_id = event_id,
                        .case_id = case_id,
                        .referral_id = newest.sent.referral_id,
                        .priority = newest.sent.priority,
                        .prev = newest.sent.document},
                       SlotValues(form.sections, moment.now), key);
}

absl::StatusOr<CaseChange> NextVersion::Change(const OwnVersion& newest,
                                               const Case& current) const {
  ASSIGN_OR_RETURN(const IssuedReferral issued,
                   Issue(newest, current.state.case_id));
  const Content content{issued.jwt, issued.disclosures};
  const DocumentStep step{.kind = EventKind::kUpdated,
                          .event_id = event_id,
                          .content_of = event_id,
                          .content = content,
                          .referral_id = newest.sent.referral_id,
                          .document = issued.digest,
                          .prev = newest.sent.document,
                          .priority = newest.sent.priority};
  std::set<Section> sections;
  for (const auto& [section, value] : form.sections) sections.insert(section);
  CaseChange change;
  absl::Status refusal = WrongState("the referral has ended");
  for (const PeerReferral* referral :
       current.state.FindAll({desk.cases.self(), newest.sent.referral_id})) {
    ASSIGN_OR_RETURN(const bool open, IsOpen(desk, *referral));
    if (!open) continue;
    const auto decisions = Decide(moment.charter(), current.state.authority,
                                  TransferOf(*referral), sections, moment.now);
    if (AllowedSlots(decisions).empty()) {
      refusal = Refused(decisions.front());
      continue;
    }
    RETURN_IF_ERROR(AddDocument(desk, moment, step, TransferOf(*referral),
                                decisions, {}, change));
  }
  if (change.events.empty()) return refusal;
  change.contents.emplace(ContentId(event_id, desk.cases.self()), content);
  return change;
}

}  // namespace

absl::StatusOr<ReferralChange> ReferralDesk::Update(
    const Officer& officer, absl::string_view id, absl::string_view form_json) {
  RETURN_IF_ERROR(AllowedByRole(officer, Action::kRefer));
  ASSIGN_OR_RETURN(const VisibleReferral found,
                   FindReferral(desk_, officer, id));
  ASSIGN_OR_RETURN(const UpdateForm form, ParseUpdateForm(form_json));
  RETURN_IF_ERROR(desk_.outbox.CheckRoom());
  const Moment moment = TakeMoment(desk_);
  ASSIGN_OR_RETURN(const SigningKey key, desk_.keys.Signer());
  const NextVersion next{desk_, moment, key, form};
  const auto decide = [&](const Case* current) -> absl::StatusOr<CaseChange> {
    const auto versions = OwnVersionsOf(*current, desk_.cases.self(), found.id());
    if (versions.empty())
      return WrongState("only its sender updates a referral");
    ASSIGN_OR_RETURN(CaseChange change, next.Change(versions.back(), *current));
    RETURN_IF_ERROR(LogStep(desk_, officer, "referral_update",
                            current->state.case_id, change));
    return change;
  };
  ASSIGN_OR_RETURN(const auto entry,
                   desk_.cases.Change(found.entry->state.case_id, decide));
  desk_.wake_courier();
  return ReferralChange{
      .referral_id = found.id(),
      .event_id = next.event_id,
      .recipients = ReferralViews(desk_, moment).StatesOf(*entry, found.key)};
}

}  // namespace amparo::agent
