#include <utility>

#include "agents/institution/core/access.h"
#include "agents/institution/core/consent_desk.h"
#include "agents/institution/core/consent_rows.h"
#include "agents/institution/core/consent_views.h"
#include "agents/institution/core/grant_chain.h"
#include "agents/institution/core/grant_step.h"
#include "agents/institution/core/request_book.h"
#include "agents/institution/core/superseding.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/content/narrowing.h"

namespace amparo::agent {
namespace {

Digest DigestOf(absl::string_view form_json, ByteView evidence) {
  return LabelledHash("amparo/v1/consent-request")
      .Variable(form_json)
      .Variable(evidence)
      .Finish();
}

absl::StatusOr<ConsentView> ViewOf(const Desk& desk, const GrantId& id) {
  const GrantKey key(desk.cases.self(), id);
  const auto entry = desk.cases.FindByGrant(key);
  if (entry == nullptr)
    return absl::DataLossError("a recorded consent is missing");
  return WholeOf(desk, TakeMoment(desk), *entry,
                 entry->state.authority.grants.at(key));
}

absl::StatusOr<ConsentView> RecordedBefore(const Desk& desk,
                                           const Json& answer) {
  ASSIGN_OR_RETURN(const std::string text, JsonString(answer, "grant"));
  ASSIGN_OR_RETURN(const GrantId id, GrantId::Parse(text));
  return ViewOf(desk, id);
}

// The case that the form names, when this officer may see it; else a new one.
absl::StatusOr<CaseId> CaseOf(const Desk& desk, const Officer& officer,
                              const ConsentForm& form) {
  if (!form.case_id) return CaseId::New();
  ASSIGN_OR_RETURN(const auto entry,
                   VisibleCase(desk, officer, form.case_id->text()));
  return entry->state.case_id;
}

// What the form leaves to the time of recording is settled now: a grant that
// supersedes this one repeats it and must not move it.
void SetTimes(absl::Time now, ConsentForm& form) {
  for (PermitProvision& permit : form.permits) {
    if (!permit.from) permit.from = now;
    if (!permit.until) permit.until = DefaultUntil(now);
  }
}

}  // namespace

absl::StatusOr<ConsentView> ConsentDesk::Record(const Officer& officer,
                                                absl::string_view form_json,
                                                ByteView evidence,
                                                absl::string_view request_id) {
  RETURN_IF_ERROR(AllowedByRole(officer, Action::kRefer));
  const RepeatableRequest repeatable(officer, "record", request_id,
                                     DigestOf(form_json, evidence));
  ASSIGN_OR_RETURN(std::optional<Json> earlier, repeatable.Earlier(desk_.kv));
  if (earlier) return RecordedBefore(desk_, *earlier);
  if (evidence.size() > kEvidenceBytesMax)
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "the evidence is too large",
                     {.code = "too_large",
                      .field = "evidence",
                      .expected = "at most 8 MiB"});
  const Moment moment = TakeMoment(desk_);
  ConsentRecord record;
  ASSIGN_OR_RETURN(record.form, ParseConsentForm(form_json));
  SetTimes(moment.now, record.form);
  ASSIGN_OR_RETURN(const CaseId case_id, CaseOf(desk_, officer, record.form));
  ASSIGN_OR_RETURN(const SigningKey key, desk_.keys.Signer());
  const GrantStep step{desk_, moment, key, officer};
  const GrantId id = GrantId::New();
  const auto decide = [&](const Case*) -> absl::StatusOr<CaseChange> {
    // Two calls with one id may have come this far side by side.
    ASSIGN_OR_RETURN(earlier, repeatable.Earlier(desk_.kv));
    if (earlier) return CaseChange();
    CaseChange change;
    if (!evidence.empty())
      record.evidence_hash = KeepEvidence(id, evidence, change.rows);
    ASSIGN_OR_RETURN(Grant grant,
                     step.Issue(case_id, id, std::nullopt, record, change));
    RETURN_IF_ERROR(desk_.access_log.Write({.officer = officer.id,
                                            .action = "consent_record",
                                            .case_id = case_id,
                                            .sections = {},
                                            .grant_or_basis = id.text()}));
    const EventId event_id = grant.event_id;
    change.events.push_back(step.EventTo(desk_.cases.self(), event_id, case_id,
                                         Granted{std::move(grant), {}}));
    Json answer;
    answer["grant"] = id.text();
    repeatable.Keep(answer, change.rows);
    return change;
  };
  RETURN_IF_ERROR(desk_.cases.Change(case_id, decide).status());
  if (earlier) return RecordedBefore(desk_, *earlier);
  return ViewOf(desk_, id);
}

absl::StatusOr<ConsentView> ConsentDesk::Extend(const Officer& officer,
                                                absl::string_view id,
                                                absl::string_view form_json) {
  RETURN_IF_ERROR(AllowedByRole(officer, Action::kRefer));
  ASSIGN_OR_RETURN(const VisibleGrant found, FindGrant(desk_, officer, id));
  ASSIGN_OR_RETURN(ConsentForm added, ParseConsentForm(form_json));
  RETURN_IF_ERROR(desk_.outbox.CheckRoom());
  if (added.case_id && *added.case_id != found.entry->state.case_id)
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "the form is for another case",
                     {.code = "invalid_form", .field = "/case"});
  const Moment moment = TakeMoment(desk_);
  SetTimes(moment.now, added);
  ASSIGN_OR_RETURN(const SigningKey key, desk_.keys.Signer());
  const GrantStep step{desk_, moment, key, officer};
  std::optional<GrantId> next;
  const auto decide = [&](const Case* current) -> absl::StatusOr<CaseChange> {
    ASSIGN_OR_RETURN(
        Superseded superseded,
        Supersede(step, *current, found.id(), "consent_extend",
                  [&](const ConsentForm& form) -> absl::StatusOr<ConsentForm> {
                    return amparo::Extend(form, added);
                  }));
    next = superseded.grant;
    return std::move(superseded.change);
  };
  RETURN_IF_ERROR(
      desk_.cases.Change(found.entry->state.case_id, decide).status());
  desk_.wake_courier();
  return ViewOf(desk_, *next);
}

}  // namespace amparo::agent
