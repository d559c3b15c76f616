#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agents/institution/core/access.h"
#include "agents/institution/core/referral_desk.h"
#include "agents/institution/core/referral_views.h"
#include "agents/institution/core/section_reader.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/envelope/receipt.h"

namespace amparo::agent {
namespace {

// Referrals that were opened while there was no key to say so.
constexpr char kOpenedDuePrefix[] = "desk/opened/";

// A section that the referral has here, before its value is read.
struct Candidate {
  const PeerReferral* referral;
  SharedSlot shared;
  SectionView view;
  bool withheld = false;  // a message that may revoke it waits to be trusted
};

// What a recipient has, as far as consent and charter still let it see.
SectionView IncomingView(const Desk& desk, const Moment& moment,
                         const Case& entry, const PeerReferral& referral,
                         Slot slot, const SharedSlot& shared) {
  const Transfer transfer{.sender = referral.sender,
                          .recipient = desk.cases.self(),
                          .case_id = referral.case_id,
                          .purpose = referral.purpose,
                          .first_contact = referral.first_contact};
  const SectionDecision decision = MayShow(
      moment.charter(), entry.state.authority, transfer, slot, moment.now);
  const bool open = decision.allowed() && !shared.erased;
  return {.slot = slot,
          .status =
              open ? SectionView::Status::kOpen : SectionView::Status::kErased,
          .fields_json = {},
          .version = shared.version,
          .shared_at = shared.shared_at,
          .authority = open ? decision.authority : shared.authority};
}

// Own content stays, whatever its recipients may still see of it.
SectionView OutgoingView(Slot slot, const SharedSlot& shared) {
  return {.slot = slot,
          .status = SectionView::Status::kOpen,
          .fields_json = {},
          .version = shared.version,
          .shared_at = shared.shared_at,
          .authority = shared.authority};
}

// One for each slot; of what went to several members, the newest.
std::map<Slot, Candidate> CandidatesOf(const Desk& desk, const Moment& moment,
                                       const Case& entry,
                                       const ReferralKey& key) {
  std::map<Slot, Candidate> candidates;
  for (const PeerReferral* referral : entry.state.FindAll(key)) {
    const bool incoming = referral->IsIncoming(desk.cases.self());
    for (const auto& [slot, shared] : referral->shared) {
      const auto known = candidates.find(slot);
      if (known != candidates.end() &&
          known->second.shared.version >= shared.version)
        continue;
      SectionView view =
          incoming ? IncomingView(desk, moment, entry, *referral, slot, shared)
                   : OutgoingView(slot, shared);
      const bool withheld =
          incoming && desk.held.MayRevoke(referral->case_id, referral->sender);
      candidates.insert_or_assign(
          slot, Candidate{referral, shared, std::move(view), withheld});
    }
  }
  return candidates;
}

// Masks what is not opened on purpose. NOT_FOUND for a section that was asked
// for and is not there: withheld looks like absent.
absl::Status Mask(const std::set<Slot>& asked,
                  std::map<Slot, Candidate>& candidates) {
  for (const Slot slot : asked)
    if (!candidates.contains(slot))
      return MakeError(absl::StatusCode::kNotFound, "no such section here",
                       {.code = "not_found", .field = "section"});
  for (auto& [slot, candidate] : candidates) {
    if (candidate.view.status != SectionView::Status::kOpen) continue;
    if (candidate.withheld && asked.contains(slot))
      return MakeError(
          absl::StatusCode::kPermissionDenied,
          "its sender sent a change of consent under a key that nobody vouches "
          "for yet",
          {.code = "key_too_new",
           .field = "section",
           .hint = "compare its key words by phone, then: amparo directory "
                   "confirm"});
    if (candidate.withheld ||
        (IsMaskedOnScreen(slot.section) && !asked.contains(slot)))
      candidate.view.status = SectionView::Status::kMasked;
  }
  return absl::OkStatus();
}

// One record for the look, by each ground that it has; one for each masked
// section that is opened.
absl::Status LogLook(const Desk& desk, const Officer& officer,
                     const CaseId& case_id,
                     const std::map<Slot, Candidate>& candidates) {
  std::map<std::pair<std::string, MemberId>, AccessLog::Entry> looks;
  std::vector<AccessLog::Entry> openings;
  for (const auto& [slot, candidate] : candidates) {
    if (candidate.view.status != SectionView::Status::kOpen) continue;
    const std::string& authority = candidate.view.authority;
    const MemberId& from = candidate.referral->sender;
    if (IsMaskedOnScreen(slot.section)) {
      openings.push_back({.officer = officer.id,
                          .action = "section_open",
                          .case_id = case_id,
                          .sections = {NameOf(slot)},
                          .grant_or_basis = authority,
                          .from = from.text()});
      continue;
    }
    const auto look = looks.try_emplace(
        {authority, from}, AccessLog::Entry{.officer = officer.id,
                                            .action = "referral_show",
                                            .case_id = case_id,
                                            .grant_or_basis = authority,
                                            .from = from.text()});
    look.first->second.sections.push_back(NameOf(slot));
  }
  if (looks.empty())
    RETURN_IF_ERROR(desk.access_log.Write({.officer = officer.id,
                                           .action = "referral_show",
                                           .case_id = case_id}));
  for (const auto& [ground, look] : looks)
    RETURN_IF_ERROR(desk.access_log.Write(look));
  for (const AccessLog::Entry& opening : openings)
    RETURN_IF_ERROR(desk.access_log.Write(opening));
  return absl::OkStatus();
}

absl::Status ReadOpen(const Desk& desk, const Moment& moment, const Case& entry,
                      std::map<Slot, Candidate>& candidates) {
  for (auto& [slot, candidate] : candidates) {
    if (candidate.view.status != SectionView::Status::kOpen) continue;
    auto value = ReadSection(desk, moment, entry, *candidate.referral, slot,
                             candidate.shared);
    if (absl::IsNotFound(value.status())) {
      candidate.view.status = SectionView::Status::kErased;
      continue;
    }
    RETURN_IF_ERROR(value.status());
    candidate.view.fields_json = *std::move(value);
    candidate.view.fits_first_digest = candidate.shared.fits_first_digest;
  }
  return absl::OkStatus();
}

std::string OpenedDueKey(const ReferralKey& key) {
  return absl::StrCat(kOpenedDuePrefix, key.second.text(), "@",
                      key.first.text());
}

const PeerReferral* IncomingOf(const Case& entry, const ReferralKey& key,
                               const MemberId& self) {
  for (const PeerReferral* referral : entry.state.FindAll(key))
    if (referral->IsIncoming(self)) return referral;
  return nullptr;
}

// Whether the sender is still to be told that somebody here looked.
bool IsOpenedDue(const Case& entry, const ReferralKey& key,
                 const MemberId& self) {
  const PeerReferral* referral = IncomingOf(entry, key, self);
  return referral != nullptr && IsUnread(*referral, self) &&
         referral->envelope && referral->leaf;
}

// Tells the sender that somebody here looked, once.
absl::StatusOr<std::shared_ptr<const Case>> NoteOpened(
    const Desk& desk, const Moment& moment, const ReferralKey& key,
    std::shared_ptr<const Case> entry) {
  const MemberId& self = desk.cases.self();
  if (!IsOpenedDue(*entry, key, self)) return entry;
  const auto signer = desk.keys.Signer();
  if (absl::IsFailedPrecondition(signer.status())) {
    // Who was referred is read all the same; the receipt follows the next key.
    Batch rows;
    rows.Put(OpenedDueKey(key), {});
    RETURN_IF_ERROR(desk.kv.Write(rows));
    return entry;
  }
  RETURN_IF_ERROR(signer.status());
  ASSIGN_OR_RETURN(
      entry,
      desk.cases.Change(
          entry->state.case_id,
          [&](const Case* current) -> absl::StatusOr<CaseChange> {
            CaseChange change;
            change.rows.Delete(OpenedDueKey(key));
            if (!IsOpenedDue(*current, key, self)) return change;
            const PeerReferral& referral = *IncomingOf(*current, key, self);
            const Receipt receipt{.net = moment.net(),
                                  .issuer = self,
                                  .audience = referral.sender,
                                  .at = moment.now,
                                  .jti = EventId::New(),
                                  .kind = ReceiptKind::kOpened,
                                  .digest = *referral.envelope,
                                  .leaf = *referral.leaf};
            change.events.push_back(
                {.id = receipt.jti,
                 .case_id = referral.case_id,
                 .from = self,
                 .to = referral.sender,
                 .at = moment.now,
                 .leaf = std::nullopt,
                 .envelope = std::nullopt,
                 .body = Acknowledged{EventKind::kOpened, receipt.digest}});
            desk.outbox.Add({.recipient = referral.sender,
                             .kind = EventKind::kOpened,
                             .case_id = referral.case_id,
                             .event_id = receipt.jti,
                             .sections = {},
                             .content_of = std::nullopt,
                             .document = SignReceipt(receipt, *signer)},
                            change.rows);
            return change;
          }));
  desk.wake_courier();
  return entry;
}

// Erasures asked of this referral's members. One that never had anything
// delivered has nothing to answer.
void CountErasures(const Case& entry, ReferralView& view) {
  std::set<MemberId> members;
  for (const RecipientState& recipient : view.recipients)
    if (recipient.delivery < Delivery::kRecalled)
      members.insert(recipient.member);
  for (const AskedErasure& erasure : entry.state.erasures) {
    if (!members.contains(erasure.member)) continue;
    ++view.erasures_expected;
    if (erasure.answer) ++view.erasures_received;
  }
}

// What the referral's documents went by besides consents.
std::vector<WithoutConsent> BasesOf(const Case& entry, const ReferralKey& key) {
  std::vector<WithoutConsent> bases;
  for (const CaseEvent& event : entry.events) {
    const auto* sent = std::get_if<DocumentSent>(&event.body);
    if (sent == nullptr || ReferralKey(event.from, sent->referral_id) != key ||
        !sent->closed.empty())
      continue;
    for (const WithoutConsent& basis : sent->bases)
      if (basis.recipient == event.to &&
          std::find(bases.begin(), bases.end(), basis) == bases.end())
        bases.push_back(basis);
  }
  return bases;
}

ReferralView StatesOnly(const Desk& desk, const Moment& moment,
                        const Case& entry, const ReferralKey& key) {
  const PeerReferral& any = *entry.state.FindAll(key).front();
  ReferralView view{
      .referral_id = key.second,
      .case_id = any.case_id,
      .incoming = any.IsIncoming(desk.cases.self()),
      .from = any.sender,
      .priority = any.priority,
      .created_at = any.created_at,
      .recipients = ReferralViews(desk, moment).StatesOf(entry, key),
      .sections = {},
      .events = EventsOf(entry, key)};
  CountErasures(entry, view);
  return view;
}

}  // namespace

absl::StatusOr<ReferralView> ReferralDesk::Show(
    const Officer& officer, absl::string_view id,
    const std::vector<std::string>& open_sections, bool status_only) {
  RETURN_IF_ERROR(AllowedByRole(
      officer, status_only ? Action::kSeeCases : Action::kOpenContent));
  ASSIGN_OR_RETURN(const std::set<Slot> asked, SlotsNamed(open_sections));
  ASSIGN_OR_RETURN(VisibleReferral found, FindReferral(desk_, officer, id));
  const Moment moment = TakeMoment(desk_);
  if (status_only) return StatesOnly(desk_, moment, *found.entry, found.key);

  const CaseId case_id = found.entry->state.case_id;
  std::map<Slot, Candidate> candidates;
  // In one step, so that the record of a revocation comes before no look that
  // was decided without it.
  ASSIGN_OR_RETURN(
      found.entry,
      desk_.cases.Change(
          case_id, [&](const Case* current) -> absl::StatusOr<CaseChange> {
            candidates = CandidatesOf(desk_, moment, *current, found.key);
            RETURN_IF_ERROR(Mask(asked, candidates));
            RETURN_IF_ERROR(LogLook(desk_, officer, case_id, candidates));
            return CaseChange();
          }));
  RETURN_IF_ERROR(ReadOpen(desk_, moment, *found.entry, candidates));
  ASSIGN_OR_RETURN(const auto opened,
                   NoteOpened(desk_, moment, found.key, found.entry));
  ReferralView view = StatesOnly(desk_, moment, *opened, found.key);
  for (auto& [slot, candidate] : candidates)
    view.sections.push_back(std::move(candidate.view));
  view.without_consent = BasesOf(*opened, found.key);
  return view;
}

absl::Status ReferralDesk::SendReceiptsDue() {
  std::vector<std::string> due;
  RETURN_IF_ERROR(
      desk_.kv.Scan(kOpenedDuePrefix, "", [&](absl::string_view key, ByteView) {
        due.emplace_back(key);
        return true;
      }));
  if (due.empty() || absl::IsFailedPrecondition(desk_.keys.Signer().status()))
    return absl::OkStatus();
  for (const std::string& row : due) {
    // Whole, or from a time when it did not say whose it is.
    const auto key =
        desk_.cases.ResolveReferral(row.substr(sizeof kOpenedDuePrefix - 1));
    auto entry = key.ok() ? desk_.cases.FindByReferral(*key) : nullptr;
    if (entry != nullptr) {
      ASSIGN_OR_RETURN(entry,
                       NoteOpened(desk_, TakeMoment(desk_), *key, entry));
      if (IsOpenedDue(*entry, *key, desk_.cases.self())) continue;
    }
    Batch rows;
    rows.Delete(row);
    RETURN_IF_ERROR(desk_.kv.Write(rows));
  }
  return absl::OkStatus();
}

}  // namespace amparo::agent
