// The part of CaseCheck that asks whether what an envelope brought was covered,
// by what was known at its entry.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agents/auditor/case_check.h"
#include "crypto/jws.h"
#include "proto/content/case_authority.h"
#include "proto/content/policy.h"
#include "proto/envelope/limits.h"

namespace amparo::auditor {
namespace {

size_t CountOf(
    const std::map<FindingCode, std::pair<std::set<Slot>, std::string>>&
        refused) {
  size_t count = 0;
  for (const auto& [code, what] : refused) count += what.first.size();
  return count;
}

// How many digests the provisions of a grant have, decoys among them.
size_t ProvisionDigests(const std::string& jwt) {
  const auto payload = PeekJwsPayload(jwt, kGrantBytesMax);
  if (!payload.ok() || !payload->is_object()) return 0;
  const auto provisions = payload->find("provisions");
  if (provisions == payload->end() || !provisions->is_object()) return 0;
  const auto digests = provisions->find("_sd");
  return digests == provisions->end() ? 0 : digests->size();
}

Transfer TransferOf(const Header& header, const OpenedEnvelope& envelope,
                    const CaseState& state) {
  return {.sender = header.sender,
          .recipient = header.recipient,
          .case_id = state.case_id,
          .purpose = envelope.purpose,
          .first_contact = envelope.first_contact};
}

}  // namespace

// Grants that nobody says the entry of: their own date is all there is.
void CaseCheck::LearnUndated(const Place& at, const MemberId& issuer,
                             OpenCase& open) {
  for (auto& [digest, told] : open.grants) {
    if (told.known || told.anchored) continue;
    const auto grant = LoadGrant(told.jwt, told.disclosures);
    if (!grant.ok() || grant->issuer != issuer || grant->issued_at > at.time)
      continue;
    if (Learn(at, issuer, told, open).ok()) ++open.row->grants_undated;
  }
}

void CaseCheck::AddBases(const Place& at, const Header& header,
                         const std::string& token, CaseState& state) const {
  const auto basis = VerifyWithoutConsent(token, KeysOf(at, header.sender));
  if (basis.ok() && basis->recipient == header.recipient &&
      basis->case_id == state.case_id && basis->at <= at.time + kCreatedAfter)
    AddBasis(*basis, state);
}

CaseCheck::Refused CaseCheck::WhatIsRefused(const Place& at,
                                            const Header& header,
                                            const Item& item,
                                            const CaseState& state) const {
  const Transfer transfer = TransferOf(header, *item.envelope, state);
  Refused refused;
  for (const Slot slot : item.envelope->slots) {
    const SectionDecision decision = MayShow(
        network_.Charter()->charter, state.authority, transfer, slot, at.time);
    if (decision.allowed()) continue;
    auto& [slots, why] = refused[decision.reason == Reason::kRevoked
                                     ? FindingCode::kAfterRevocation
                                     : FindingCode::kNotCovered];
    slots.insert(slot);
    if (why.empty()) why = decision.text;
  }
  return refused;
}

void CaseCheck::TellBases(const Place& at, const Header& header,
                          const Item& item, const CaseState& state) const {
  const Transfer transfer = TransferOf(header, *item.envelope, state);
  std::vector<WithoutConsentRow>& rows = item.open->row->without_consent;
  for (const Slot slot : item.envelope->slots) {
    const SectionDecision decision = MayShow(
        network_.Charter()->charter, state.authority, transfer, slot, at.time);
    if (!decision.allowed() || decision.reason != Reason::kBasis) continue;
    // Both ends may have opened it.
    auto row = std::find_if(rows.begin(), rows.end(), [&](const auto& one) {
      return one.index == at.leaf && one.basis == decision.authority;
    });
    if (row == rows.end()) {
      row = rows.insert(rows.end(), {at.leaf,
                                     header.sender.text(),
                                     header.recipient.text(),
                                     decision.authority,
                                     "",
                                     {},
                                     false});
      for (const WithoutConsent& basis : state.authority.bases) {
        if (basis.id.text() != decision.authority ||
            basis.issuer != header.sender)
          continue;
        row->reason = basis.reason_code;
        row->proven = item.open->bases_sent.contains(basis.token);
      }
    }
    if (std::find(row->sections.begin(), row->sections.end(), NameOf(slot)) ==
        row->sections.end())
      row->sections.push_back(NameOf(slot));
  }
}

void CaseCheck::CheckCovered(const Place& at, const Header& header,
                             const Item& item, const std::vector<Item>& items) {
  OpenCase& open = *item.open;
  LearnUndated(at, header.sender, open);
  CaseState state = open.state;
  for (const std::string& token : open.bases_sent)
    AddBases(at, header, token, state);
  Refused refused = WhatIsRefused(at, header, item, state);
  // A basis that nobody proves to have gone along may have been made since, and
  // dated back. It may count only where something else went that is not shown.
  const bool hidden =
      open.hides_any || open.hidden.contains({header.sender, header.recipient});
  if (!refused.empty() && hidden) {
    for (const std::string& token : open.bases)
      AddBases(at, header, token, state);
    Refused still = WhatIsRefused(at, header, item, state);
    if (CountOf(still) < CountOf(refused) &&
        open.undated.insert(at.leaf).second)
      ++open.row->bases_undated;
    refused = std::move(still);
  }
  TellBases(at, header, item, state);
  // What the sender does not say itself is the word of who accuses it.
  const OpenedEnvelope* other = OtherEnd(item, items);
  const bool agreed =
      header.sender == item.opening->member ||
      (other != nullptr && other->slots == item.envelope->slots &&
       other->purpose == item.envelope->purpose &&
       other->first_contact == item.envelope->first_contact);
  const std::string by =
      agreed ? ""
             : absl::StrCat("by the word of ", item.opening->member.text(),
                            item.envelope->content
                                ? " for the purpose and the contact, "
                                : ", which the sender has not confirmed, ");
  if (refused.empty()) return;
  const Awaited awaited = WhatIsAwaited(at, header, item, state, refused);
  for (const auto& [code, what] : refused)
    Accuse({code, at.leaf, &open,
            absl::StrCat(by, header.sender.text(), " sent ",
                         header.recipient.text()),
            what.first,
            absl::StrCat("and by what was logged before this entry",
                         agreed ? " " : " and shown ", what.second),
            awaited});
}

CaseCheck::Awaited CaseCheck::WhatIsAwaited(const Place& at,
                                            const Header& header,
                                            const Item& item,
                                            const CaseState& state,
                                            const Refused& refused) {
  Awaited awaited;
  for (auto& [digest, told] : item.open->grants) {
    if (told.known || !told.anchored) continue;
    const auto grant =
        VerifyGrant(told.jwt, told.disclosures, KeysOf(at, header.sender));
    if (!grant.ok() || grant->issuer != header.sender ||
        grant->case_id != state.case_id || grant->issued_at > at.time)
      continue;
    CaseState with = state;
    AddGrant(*grant, with);
    SettleStatuses(with);
    std::set<Slot> still;
    for (const auto& [code, what] : WhatIsRefused(at, header, item, with))
      still.insert(what.first.begin(), what.first.end());
    for (const auto& [code, what] : refused)
      for (const Slot slot : what.first)
        if (!still.contains(slot)) awaited[slot].push_back(&told);
  }
  return awaited;
}

void CaseCheck::Accuse(const Accusation& accusation) {
  const bool waits =
      std::any_of(accusation.slots.begin(), accusation.slots.end(),
                  [&](Slot slot) { return accusation.awaited.contains(slot); });
  if (waits) return awaiting_.push_back(accusation);
  Add(accusation.code, accusation.leaf,
      absl::StrCat(accusation.who, " ",
                   absl::StrJoin(accusation.slots, ", ",
                                 [](std::string* out, Slot slot) {
                                   absl::StrAppend(out, NameOf(slot));
                                 }),
                   " of case ", accusation.open->row->case_id, ", ",
                   accusation.why));
}

void CaseCheck::SettleAwaited() {
  std::set<const Told*> undated;
  for (Accusation& accusation : awaiting_) {
    for (const auto& [slot, grants] : accusation.awaited)
      for (const Told* told : grants) {
        if (told->anchor_seen || accusation.slots.erase(slot) == 0) continue;
        if (undated.insert(told).second) ++accusation.open->row->grants_undated;
      }
    accusation.awaited.clear();
    if (!accusation.slots.empty()) Accuse(accusation);
  }
}

// A decoy looks like a provision that was kept back: so says who shows all,
// too.
void CaseCheck::CountProvisions() {
  for (auto& [id, open] : cases_)
    for (const auto& [digest, told] : open.grants) {
      const uint64_t digests = ProvisionDigests(told.jwt);
      open.row->provisions += digests;
      if (digests > told.disclosures.size())
        open.row->provisions_hidden += digests - told.disclosures.size();
    }
}

}  // namespace amparo::auditor
