#include <functional>
#include <set>
#include <utility>

#include "absl/strings/str_join.h"
#include "agents/institution/core/access.h"
#include "agents/institution/core/referral_desk.h"
#include "agents/institution/core/referral_event.h"
#include "agents/institution/core/referral_views.h"
#include "agents/institution/core/take_back.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/envelope/limits.h"

namespace amparo::agent {
namespace {

// An answer to a referral: what is signed, and the row of the state table.
struct Answer {
  EventKind kind;
  ReferralStep step;
  std::string code;
};

// It comes within fourteen days or not at all; that it came, a broker may keep
// back for longer.
const absl::Duration kCancelDueLife = kEnvelopeLifeMax + absl::Hours(365 * 24);

absl::Status NotYours(const char* message) {
  return MakeError(absl::StatusCode::kFailedPrecondition, message,
                   {.code = "invalid_state", .field = "referral"});
}

// Its recipient's answer to a referral, chosen by where it stands.
absl::StatusOr<ReferralChange> AnswerIncoming(
    const Desk& desk, const Officer& officer, absl::string_view id,
    const char* action, const std::function<Answer(ReferralState)>& choose) {
  RETURN_IF_ERROR(AllowedByRole(officer, Action::kRefer));
  ASSIGN_OR_RETURN(const VisibleReferral found,
                   FindReferral(desk, officer, id));
  const Moment moment = TakeMoment(desk);
  ASSIGN_OR_RETURN(const SigningKey key, desk.keys.Signer());
  const EventId event_id = EventId::New();
  const auto decide = [&](const Case* current) -> absl::StatusOr<CaseChange> {
    for (const PeerReferral* referral : current->state.FindAll(found.key)) {
      if (!referral->IsIncoming(desk.cases.self())) continue;
      const Answer answer = choose(referral->state);
      RETURN_IF_ERROR(
          Next(referral->state, answer.step, Actor::kRecipient).status());
      RETURN_IF_ERROR(desk.access_log.Write({.officer = officer.id,
                                             .action = action,
                                             .case_id = referral->case_id}));
      CaseChange change;
      RETURN_IF_ERROR(AddReferralEvent(
          desk.outbox, key, moment.net(), moment.now, desk.cases.self(),
          *referral, answer.kind, answer.code, event_id, change));
      return change;
    }
    return NotYours("only its recipient answers a referral");
  };
  ASSIGN_OR_RETURN(const auto entry,
                   desk.cases.Change(found.entry->state.case_id, decide));
  desk.wake_courier();
  return ReferralChange{
      .referral_id = found.id(),
      .event_id = event_id,
      .recipients = ReferralViews(desk, moment).StatesOf(*entry, found.key)};
}

absl::Status RequireCode(CodeList codes, absl::string_view code,
                         const char* field) {
  if (IsOneOf(codes, code)) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kInvalidArgument, "not a code of the list",
      {.code = "usage", .field = field, .expected = absl::StrJoin(codes, " ")});
}

}  // namespace

absl::StatusOr<ReferralChange> ReferralDesk::Accept(const Officer& officer,
                                                    absl::string_view id) {
  return AnswerIncoming(
      desk_, officer, id, "referral_accept", [](ReferralState state) -> Answer {
        if (state == ReferralState::kCancelRequested)
          return {EventKind::kCancelled, ReferralStep::kCancel, ""};
        return {EventKind::kAccepted, ReferralStep::kAccept, ""};
      });
}

absl::StatusOr<ReferralChange> ReferralDesk::Decline(const Officer& officer,
                                                     absl::string_view id,
                                                     absl::string_view reason) {
  RETURN_IF_ERROR(RequireCode(DeclineReasons(), reason, "reason"));
  return AnswerIncoming(desk_, officer, id, "referral_decline",
                        [&](ReferralState) -> Answer {
                          return {EventKind::kDeclined, ReferralStep::kDecline,
                                  std::string(reason)};
                        });
}

absl::StatusOr<ReferralChange> ReferralDesk::Close(const Officer& officer,
                                                   absl::string_view id,
                                                   absl::string_view outcome) {
  RETURN_IF_ERROR(RequireCode(Outcomes(), outcome, "outcome"));
  return AnswerIncoming(
      desk_, officer, id, "referral_close", [&](ReferralState) -> Answer {
        return {EventKind::kClosed,
                MeansNotCompleted(outcome) ? ReferralStep::kNotComplete
                                           : ReferralStep::kComplete,
                std::string(outcome)};
      });
}

absl::StatusOr<ReferralChange> ReferralDesk::Withdraw(const Officer& officer,
                                                      absl::string_view id) {
  RETURN_IF_ERROR(AllowedByRole(officer, Action::kRefer));
  ASSIGN_OR_RETURN(const VisibleReferral found,
                   FindReferral(desk_, officer, id));
  const Moment moment = TakeMoment(desk_);
  ASSIGN_OR_RETURN(const SigningKey key, desk_.keys.Signer());
  const MemberId& self = desk_.cases.self();
  const EventId asking = EventId::New();
  EventId event_id = asking;
  const auto decide = [&](const Case* current) -> absl::StatusOr<CaseChange> {
    CaseChange change;
    std::set<MemberId> undelivered;
    bool asked = false;  // somebody, to cancel
    absl::Status refusal = NotYours("only its sender withdraws a referral");
    for (const PeerReferral* referral : current->state.FindAll(found.key)) {
      if (referral->IsIncoming(self)) continue;
      if (!asked) event_id = referral->event_id;
      if (Next(referral->state, ReferralStep::kRecall, Actor::kSender).ok()) {
        undelivered.insert(referral->recipient);
        // It may have come by now, and nobody here knows it.
        desk_.outbox.AddCancelDue(
            {referral->case_id, referral->referral_id, referral->recipient,
             moment.now + kCancelDueLife},
            change.rows);
        continue;
      }
      refusal =
          Next(referral->state, ReferralStep::kRequestCancel, Actor::kSender)
              .status();
      if (!refusal.ok()) continue;
      asked = true;
      event_id = asking;
      RETURN_IF_ERROR(AddReferralEvent(
          desk_.outbox, key, moment.net(), moment.now, self, *referral,
          EventKind::kCancelRequested, "", asking, change));
    }
    if (undelivered.empty() && !asked) return refusal;
    RETURN_IF_ERROR(
        desk_.access_log.Write({.officer = officer.id,
                                .action = "referral_withdraw",
                                .case_id = found.entry->state.case_id}));
    const auto concerns = [&](const CaseEvent& event) {
      return std::get<DocumentSent>(event.body).referral_id == found.id() &&
             undelivered.contains(event.to);
    };
    RETURN_IF_ERROR(TakeBack(desk_, moment, key, *current, concerns,
                             Delivery::kRecalled, "", change)
                        .status());
    return change;
  };
  ASSIGN_OR_RETURN(const auto entry,
                   desk_.cases.Change(found.entry->state.case_id, decide));
  desk_.wake_courier();
  return ReferralChange{
      .referral_id = found.id(),
      .event_id = event_id,
      .recipients = ReferralViews(desk_, moment).StatesOf(*entry, found.key)};
}

}  // namespace amparo::agent
