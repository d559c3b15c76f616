#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/institution/core/case_book.h"
#include "agents/institution/core/desk.h"
#include "agents/institution/core/officers.h"
#include "agents/institution/core/referral_desk.h"
#include "agents/institution/core/views.h"
#include "proto/content/policy.h"
#include "proto/content/referral_form.h"
#include "proto/content/without_consent.h"

namespace amparo::agent {

// A legal basis that an officer states in place of a consent.
struct BasisPlan {
  std::string code;
  ReasonForm reason;
  WithoutConsentId id = WithoutConsentId::New();
  Bytes texts_salt;
};

// A send as asked for, checked as far as it can be without the case's state.
struct SendPlan {
  ReferralForm form;
  Priority priority = Priority::kRoutine;
  std::vector<MemberId> to;  // in the order given, each once
  CaseId case_id = CaseId::New();
  bool opens_case = false;
  std::optional<GrantId> consent;  // or:
  std::optional<BasisPlan> basis;

  std::set<Section> sections() const;
};

// INVALID_ARGUMENT ("usage", "invalid_form"), NOT_FOUND for a member, consent
// or case that is not there for this officer.
absl::StatusOr<SendPlan> PlanSend(const Desk& desk, const Moment& moment,
                                  const Officer& officer,
                                  const SendRequest& request);

// What would go to whom, with the case as it is (null: not known yet).
struct SendDecision {
  std::vector<RecipientDecision> recipients;
  // One for each recipient that gets something by the plan's basis: its own
  // sections only; not signed yet.
  std::map<MemberId, WithoutConsent> bases;

  bool allowed() const;  // everybody gets something
};
SendDecision DecideSend(const Desk& desk, const Moment& moment,
                        const SendPlan& plan, const Case* current);

// The question that policy is asked about `recipient`.
Transfer TransferOf(const SendPlan& plan, const MemberId& sender,
                    const MemberId& recipient);

}  // namespace amparo::agent
