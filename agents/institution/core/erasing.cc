#include "agents/institution/core/erasing.h"

#include <optional>
#include <set>
#include <utility>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/event_log.h"
#include "base/json.h"
#include "base/status.h"
#include "proto/content/event_document.h"
#include "proto/content/policy.h"

namespace amparo::agent {
namespace {

// Sections held from `granter` that may not be shown any more.
std::set<Slot> Uncovered(const Case& entry, const EraseContext& context,
                         const MemberId& self, const MemberId& granter) {
  std::set<Slot> slots;
  for (const auto& [key, referral] : entry.state.referrals) {
    if (!referral.IsIncoming(self) || referral.sender != granter) continue;
    const Transfer transfer{referral.sender, self, referral.case_id,
                            referral.purpose, referral.first_contact};
    for (const auto& [slot, shared] : referral.shared) {
      if (shared.erased) continue;
      const SectionDecision decision =
          MayShow(context.peers.charter.charter, entry.state.authority, transfer,
                  slot, context.now);
      if (!decision.allowed()) slots.insert(slot);
    }
  }
  return slots;
}

}  // namespace

absl::StatusOr<std::map<ContentId, Content>> ContentsWithout(
    const CaseBook& cases, const Case& entry, const MemberId& granter,
    const std::set<Slot>& slots, std::optional<LeafIndex> before) {
  std::map<ContentId, Content> contents;
  for (const CaseEvent& event : entry.events) {
    if (event.from != granter || !std::holds_alternative<DocumentSent>(event.body))
      continue;
    if (before && !(event.leaf && *event.leaf < *before)) continue;
    auto content = cases.ContentOf(event.case_id, event.id, granter);
    if (absl::IsNotFound(content.status())) continue;
    RETURN_IF_ERROR(content.status());
    const size_t erased =
        std::erase_if(content->disclosures,
                      [&](const auto& held) { return slots.contains(held.first); });
    if (erased > 0) contents[{event.id, granter}] = *std::move(content);
  }
  return contents;
}

absl::StatusOr<std::map<Slot, Disclosure>> BySlot(
    const std::vector<Disclosure>& disclosures) {
  std::map<Slot, Disclosure> by_slot;
  for (const Disclosure& disclosure : disclosures) {
    ASSIGN_OR_RETURN(const Bytes bytes, FromBase64Url(disclosure));
    ASSIGN_OR_RETURN(const Json json, ParseJson(AsText(bytes)));
    if (!json.is_array() || json.size() != 3 || !json[1].is_string())
      return absl::InvalidArgumentError("not a disclosure");
    ASSIGN_OR_RETURN(const Slot slot, ParseSlot(json[1].get<std::string>()));
    by_slot[slot] = disclosure;
  }
  return by_slot;
}

absl::Status EraseUncovered(const EraseContext& context, const CaseId& id,
                            const MemberId& granter, const Digest& grant) {
  const MemberId& self = context.cases.self();
  const auto entry = context.cases.Find(id);
  if (entry == nullptr) return absl::OkStatus();
  const std::set<Slot> slots = Uncovered(*entry, context, self, granter);
  if (slots.empty() && !entry->state.revoked.contains({grant, granter}))
    return absl::OkStatus();
  ASSIGN_OR_RETURN(auto contents,
                   ContentsWithout(context.cases, *entry, granter, slots));

  const EventId event_id = EventId::New();
  const absl::Time at = TimeFromUnix(UnixSeconds(context.now));
  ASSIGN_OR_RETURN(
      std::string document,
      SignEvent(EventDocument{.net = context.peers.charter.network_id,
                              .issuer = self,
                              .at = at,
                              .event_id = event_id,
                              .kind = EventKind::kErased,
                              .case_id = id,
                              .grant = grant,
                              .answer = ErasureAnswer::kDeleted,
                              .slots = slots},
                context.signer));
  CaseChange change;
  change.contents = std::move(contents);
  change.events.push_back(
      CaseEvent{event_id, id, self, granter, at, std::nullopt, std::nullopt,
                Erased{grant, ErasureAnswer::kDeleted, slots, ""}});
  context.outbox.Add(Draft{.recipient = granter,
                           .kind = EventKind::kErased,
                           .case_id = id,
                           .event_id = event_id,
                           .document = std::move(document)},
                     change.rows);
  LogEvent("sections_erased", {{"granter", granter}, {"count", slots.size()}});
  return context.cases
      .Change(id, [&](const Case*) -> absl::StatusOr<CaseChange> {
        return std::move(change);
      })
      .status();
}

}  // namespace amparo::agent
