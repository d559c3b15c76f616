#include <algorithm>
#include <map>
#include <utility>

#include "agents/institution/core/access.h"
#include "agents/institution/core/basis_rows.h"
#include "agents/institution/core/confirm_key.h"
#include "agents/institution/core/document_step.h"
#include "agents/institution/core/referral_desk.h"
#include "agents/institution/core/referral_views.h"
#include "agents/institution/core/request_book.h"
#include "agents/institution/core/send_plan.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/content/referral_document.h"
#include "proto/content/summary.h"

namespace amparo::agent {
namespace {

Digest DigestOf(const SendRequest& request) {
  LabelledHash hash("amparo/v1/send-request");
  hash.List(request.to.size());
  for (const std::string& member : request.to) hash.Variable(member);
  for (const std::string* field :
       {&request.form_json, &request.consent, &request.basis,
        &request.reason_json, &request.priority, &request.case_id})
    hash.Variable(*field);
  return hash.Finish();
}

absl::Status ConfirmKeys(const Desk& desk, const Officer& officer,
                         const SendPlan& plan, const SendRequest& request) {
  for (const std::string& name : request.confirm_key) {
    const auto id = MemberId::Parse(name);
    if (!id.ok() ||
        std::find(plan.to.begin(), plan.to.end(), *id) == plan.to.end())
      return MakeError(absl::StatusCode::kInvalidArgument,
                       "the keys to confirm are those of recipients",
                       {.code = "usage", .field = "confirm_key"});
    RETURN_IF_ERROR(ConfirmKey(desk, officer, *id, desk.peers.KeyWordsOf(*id)));
  }
  return absl::OkStatus();
}

// A recipient without a key yet is waited for. One whose key nobody vouches for
// is not: an officer has to act.
absl::Status CheckKeys(const Desk& desk, const Moment& moment,
                       const SendPlan& plan) {
  for (const MemberId& recipient : plan.to) {
    const absl::Status status =
        desk.peers.PrekeyFor(recipient, moment.now).status();
    if (!status.ok() && ErrorCodeOf(status) == "key_too_new") return status;
  }
  return absl::OkStatus();
}

// A referral about to be stored.
struct Issue {
  const Desk& desk;
  const Moment& moment;
  const SendPlan& plan;
  const SendDecision& decision;
  const SigningKey& key;
  ReferralId referral_id = ReferralId::New();
  EventId event_id = EventId::New();

  absl::StatusOr<IssuedReferral> Document() const;
  absl::StatusOr<CaseChange> Change() const;
};

absl::StatusOr<IssuedReferral> Issue::Document() const {
  return IssueReferral({.net = moment.net(),
                        .issuer = desk.cases.self(),
                        .issued_at = moment.now,
                        .event_id = event_id,
                        .case_id = plan.case_id,
                        .referral_id = referral_id,
                        .priority = plan.priority,
                        .prev = std::nullopt},
                       SlotValues(plan.form.sections, moment.now), key);
}

absl::StatusOr<CaseChange> Issue::Change() const {
  ASSIGN_OR_RETURN(const IssuedReferral issued, Document());
  const Content content{issued.jwt, issued.disclosures};
  const DocumentStep step{.kind = EventKind::kReferral,
                          .event_id = event_id,
                          .content_of = event_id,
                          .content = content,
                          .referral_id = referral_id,
                          .document = issued.digest,
                          .prev = std::nullopt,
                          .priority = plan.priority};
  CaseChange change;
  for (const RecipientDecision& recipient : decision.recipients) {
    std::vector<WithoutConsent> bases;
    if (const auto basis = decision.bases.find(recipient.member);
        basis != decision.bases.end())
      bases.push_back(SignWithoutConsent(basis->second, key));
    RETURN_IF_ERROR(
        AddDocument(desk, moment, step,
                    TransferOf(plan, desk.cases.self(), recipient.member),
                    recipient.sections, bases, change));
  }
  change.contents.emplace(ContentId(event_id, desk.cases.self()), content);
  return change;
}

// The officer's reasons stay here; what was signed holds their hash.
void KeepReasonsOf(const Officer& officer, const BasisPlan& basis,
                   Batch& rows) {
  KeepReasons(basis.id,
              {.officer = officer.id,
               .salt = basis.texts_salt,
               .texts = basis.reason.texts,
               .second_approver = basis.reason.second_approver.value_or("")},
              rows);
}

// One by each ground that something goes by; one of a basis that covers
// nothing, too: it is to be reviewed all the same.
std::vector<AccessLog::Entry> RecordsOf(const Officer& officer,
                                        const SendPlan& plan,
                                        const SendDecision& decision) {
  std::map<std::string, std::set<Slot>> grounds;
  for (const RecipientDecision& recipient : decision.recipients)
    for (const auto& [slot, authority] : AllowedSlots(recipient.sections))
      grounds[authority].insert(slot);
  const std::string basis = plan.basis ? plan.basis->id.text() : "";
  if (plan.basis) grounds[basis];
  if (grounds.empty()) grounds[plan.consent ? plan.consent->text() : ""];
  std::vector<AccessLog::Entry> entries;
  for (const auto& [ground, slots] : grounds) {
    AccessLog::Entry entry{.officer = officer.id,
                           .action = "referral_send",
                           .case_id = plan.case_id,
                           .grant_or_basis = ground};
    for (const Slot slot : slots) entry.sections.push_back(NameOf(slot));
    if (plan.basis && ground == basis)
      entry.justification =
          TextsDigest(plan.basis->texts_salt, plan.basis->reason.texts)
              .ToString();
    if (!decision.allowed()) entry.outcome = "nothing_to_send";
    entries.push_back(std::move(entry));
  }
  return entries;
}

SendOutcome OutcomeOf(const SendPlan& plan, SendDecision decision) {
  return {.allowed = decision.allowed(),
          .referral_id = std::nullopt,
          .case_id = std::nullopt,
          .priority = plan.priority,
          .consent_id = plan.consent,
          .without_consent_id =
              plan.basis ? std::optional(plan.basis->id) : std::nullopt,
          .created_at = kNoTime,
          .recipients = {},
          .decisions = std::move(decision.recipients)};
}

Json AnswerOf(const SendOutcome& outcome) {
  Json json;
  json["referral"] = outcome.referral_id->text();
  json["consent"] = outcome.consent_id ? outcome.consent_id->text() : "";
  json["basis"] =
      outcome.without_consent_id ? outcome.without_consent_id->text() : "";
  return json;
}

// `outcome` with what is stored of its referral.
absl::StatusOr<SendOutcome> Stored(const Desk& desk, SendOutcome outcome) {
  const ReferralKey key(desk.cases.self(), *outcome.referral_id);
  const auto entry = desk.cases.FindByReferral(key);
  if (entry == nullptr)
    return absl::DataLossError("a sent referral is missing");
  const Moment moment = TakeMoment(desk);
  outcome.allowed = true;
  outcome.case_id = entry->state.case_id;
  outcome.decisions.clear();
  outcome.recipients =
      ReferralViews(desk, moment).StatesOf(*entry, key);
  for (const PeerReferral* referral :
       entry->state.FindAll(key)) {
    outcome.created_at = referral->created_at;
    outcome.priority = referral->priority;
  }
  return outcome;
}

absl::StatusOr<SendOutcome> SentBefore(const Desk& desk, const Json& answer) {
  SendOutcome outcome;
  ASSIGN_OR_RETURN(const std::string referral, JsonString(answer, "referral"));
  ASSIGN_OR_RETURN(outcome.referral_id, ReferralId::Parse(referral));
  ASSIGN_OR_RETURN(const std::string consent, JsonString(answer, "consent"));
  if (!consent.empty()) {
    ASSIGN_OR_RETURN(outcome.consent_id, GrantId::Parse(consent));
  }
  ASSIGN_OR_RETURN(const std::string basis, JsonString(answer, "basis"));
  if (!basis.empty()) {
    ASSIGN_OR_RETURN(outcome.without_consent_id,
                     WithoutConsentId::Parse(basis));
  }
  return Stored(desk, std::move(outcome));
}

}  // namespace

absl::StatusOr<SendOutcome> ReferralDesk::Send(const Officer& officer,
                                               const SendRequest& request) {
  RETURN_IF_ERROR(AllowedByRole(officer, Action::kRefer));
  const RepeatableRequest repeatable(officer, "send", request.request_id,
                                     DigestOf(request));
  ASSIGN_OR_RETURN(std::optional<Json> earlier, repeatable.Earlier(desk_.kv));
  if (earlier) return SentBefore(desk_, *earlier);

  const Moment moment = TakeMoment(desk_);
  ASSIGN_OR_RETURN(const SendPlan plan,
                   PlanSend(desk_, moment, officer, request));
  if (request.dry_run) {
    const auto current = desk_.cases.Find(plan.case_id);
    return OutcomeOf(plan, DecideSend(desk_, moment, plan, current.get()));
  }
  RETURN_IF_ERROR(desk_.peers.ActiveMember(desk_.cases.self(), moment.now).status());
  RETURN_IF_ERROR(desk_.outbox.CheckRoom());
  ASSIGN_OR_RETURN(const SigningKey key, desk_.keys.Signer());
  RETURN_IF_ERROR(ConfirmKeys(desk_, officer, plan, request));

  std::optional<SendOutcome> outcome;  // as the decision leaves it
  const auto decide = [&](const Case* current) -> absl::StatusOr<CaseChange> {
    // Two calls with one id may have come this far side by side.
    ASSIGN_OR_RETURN(earlier, repeatable.Earlier(desk_.kv));
    if (earlier) return CaseChange();
    if (current != nullptr)
      RETURN_IF_ERROR(NotAwaited(desk_, current->state));
    const SendDecision decision = DecideSend(desk_, moment, plan, current);
    outcome = OutcomeOf(plan, decision);
    CaseChange change;
    if (decision.allowed()) {
      RETURN_IF_ERROR(CheckKeys(desk_, moment, plan));
      const Issue issue{desk_, moment, plan, decision, key};
      ASSIGN_OR_RETURN(change, issue.Change());
      outcome->referral_id = issue.referral_id;
      if (plan.basis) KeepReasonsOf(officer, *plan.basis, change.rows);
      repeatable.Keep(AnswerOf(*outcome), change.rows);
    }
    // What cannot go is no act of the officer, and its basis none to review.
    for (const AccessLog::Entry& record : RecordsOf(officer, plan, decision))
      RETURN_IF_ERROR(desk_.access_log.Write(record));
    return change;
  };
  RETURN_IF_ERROR(desk_.cases.Change(plan.case_id, decide).status());
  if (earlier) return SentBefore(desk_, *earlier);
  if (!outcome->allowed) return *std::move(outcome);
  desk_.wake_courier();
  return Stored(desk_, *std::move(outcome));
}

}  // namespace amparo::agent
