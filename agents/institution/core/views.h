#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agents/institution/core/held_mail.h"
#include "crypto/merkle.h"
#include "proto/content/without_consent.h"
#include "proto/content/codes.h"
#include "proto/content/policy.h"
#include "proto/content/referral_state.h"
#include "proto/content/section.h"
#include "proto/envelope/ids.h"
#include "proto/network/member.h"

// What officers see: plain values made from cases, one for each message of
// proto/amparo/agent/v1. Times: absl::InfinitePast() where there is none.

namespace amparo::agent {

inline constexpr absl::Time kNoTime = absl::InfinitePast();

struct RecipientState {
  MemberId member;
  ReferralState state = ReferralState::kSent;
  Delivery delivery = Delivery::kQueued;
  std::optional<EnvelopeId> envelope_id;
  std::vector<Slot> slots;  // shared with it
  std::optional<LeafIndex> leaf;
  bool witnessed = false;
  std::string reason_code;
  std::string outcome;
  absl::Time acknowledge_by = kNoTime;
  absl::Time decide_by = kNoTime;
  bool overdue = false;
  std::string failure;
};

struct RecipientDecision {
  MemberId member;
  bool allowed = false;  // at least one section would go
  bool reachable = false;
  std::vector<SectionDecision> sections;
};

struct ReferralRow {
  ReferralId referral_id;
  CaseId case_id;
  bool incoming = false;
  MemberId peer;
  Priority priority = Priority::kRoutine;
  ReferralState state = ReferralState::kSent;
  Delivery delivery = Delivery::kQueued;
  absl::Time created_at = kNoTime;
  absl::Time changed_at = kNoTime;
  absl::Time acknowledge_by = kNoTime;
  absl::Time decide_by = kNoTime;
  bool overdue = false;
  bool unread = false;
  bool emptied = false;  // all that was shared is erased
};

struct SectionView {
  Slot slot;
  enum class Status { kOpen, kMasked, kErased } status = Status::kOpen;
  std::string fields_json;  // the section's value; empty unless kOpen
  uint32_t version = 1;
  absl::Time shared_at = kNoTime;
  std::string authority;  // grant or basis that allows it
  bool fits_first_digest = false;
};

struct EventView {
  EventId event_id;
  std::string kind;
  MemberId by;
  absl::Time at = kNoTime;
  std::optional<LeafIndex> leaf;
};

struct ReferralView {
  ReferralId referral_id;
  CaseId case_id;
  bool incoming = false;
  MemberId from;
  Priority priority = Priority::kRoutine;
  absl::Time created_at = kNoTime;
  std::vector<RecipientState> recipients;
  std::vector<SectionView> sections;
  // Of sections that went without consent, a row for each recipient's part.
  std::vector<WithoutConsent> without_consent;
  std::vector<EventView> events;
  uint32_t erasures_expected = 0;
  uint32_t erasures_received = 0;
};

struct InboxItem {
  ReferralRow row;
  absl::Time due_at = kNoTime;
  std::vector<std::string> next;  // verbs
};
struct InboxView {
  std::vector<InboxItem> items;
  std::vector<HeldFrom> held;  // waits for key words to be compared
  uint32_t unread = 0;
  uint32_t overdue = 0;
};

struct SendOutcome {
  bool allowed = true;  // false: nothing was stored or sent
  std::optional<ReferralId> referral_id;  // none for a dry run or a refusal
  std::optional<CaseId> case_id;
  Priority priority = Priority::kRoutine;
  std::optional<GrantId> consent_id;
  std::optional<WithoutConsentId> without_consent_id;
  absl::Time created_at = kNoTime;
  std::vector<RecipientState> recipients;
  std::vector<RecipientDecision> decisions;
};

struct ReferralChange {
  ReferralId referral_id;
  EventId event_id;
  std::vector<RecipientState> recipients;
  std::vector<Slot> slots;  // disclosed now
  bool fits_first_digest = false;
};

struct RevokedRecipient {
  MemberId member;
  std::vector<Slot> slots;
  std::string answer;  // pending deleted kept unreachable
  std::string legal_basis;
  absl::Time receipt_at = kNoTime;
};

struct ConsentAccess {
  MemberId member;
  Slot slot;
  absl::Time until = kNoTime;
  absl::Time shared_at = kNoTime;
};

struct ConsentView {
  GrantId grant_id;
  CaseId case_id;
  Agreement agreement = Agreement::kGiven;
  GrantStatus status = GrantStatus::kActive;
  std::string revoked_by;
  absl::Time collected_at = kNoTime;
  absl::Time until = kNoTime;
  std::optional<GrantId> supersedes;
  Digest digest;
  std::string provisions_json;  // as in the form; only at the issuer
  std::string exclusions_json;
  std::vector<RevokedRecipient> recipients;
  std::vector<ConsentAccess> access;
};

struct RevokeOutcome {
  GrantId grant_id;
  GrantStatus status = GrantStatus::kRevoked;
  std::string revoked_by;
  absl::Time revoked_at = kNoTime;
  std::vector<EnvelopeId> recalled;
  std::vector<RevokedRecipient> recipients;
  // Revoked in part: the consent that holds what is left.
  std::optional<GrantId> superseded_by = std::nullopt;
};

struct CaseRow {
  CaseId case_id;
  absl::Time opened_at = kNoTime;
  absl::Time changed_at = kNoTime;
  uint32_t referrals = 0;
  bool own = false;
};
struct CaseView {
  CaseRow row;
  std::vector<ReferralRow> referrals;
  std::vector<ConsentView> consents;
  std::vector<EventView> events;
};

}  // namespace amparo::agent
