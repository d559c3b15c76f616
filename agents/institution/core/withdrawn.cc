#include "agents/institution/core/withdrawn.h"

#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/encoding.h"
#include "base/json.h"
#include "base/status.h"
#include "proto/content/case_state.h"
#include "proto/content/policy.h"

namespace amparo::agent {
namespace {

constexpr char kDuePrefix[] = "in/withdrawn/";

// Whether `event` can take anything back at all.
bool MayTakeBack(const CaseEvent& event) {
  if (const auto* sent = std::get_if<DocumentSent>(&event.body))
    return !sent->grants.empty();
  return std::holds_alternative<Granted>(event.body) ||
         std::holds_alternative<Revoked>(event.body);
}

// Slots from `peer` that could be shown, and cannot any more, by the ground
// that they had.
std::map<std::string, std::set<Slot>> LostFrom(
    const Charter& charter, const MemberId& self, const MemberId& peer,
    const CaseState& before, const Authority& after, absl::Time now) {
  std::map<std::string, std::set<Slot>> lost;
  for (const auto& [key, referral] : before.referrals) {
    if (!referral.IsIncoming(self) || referral.sender != peer) continue;
    const Transfer transfer{referral.sender, self, referral.case_id,
                            referral.purpose, referral.first_contact};
    for (const auto& [slot, shared] : referral.shared) {
      if (shared.erased) continue;
      const SectionDecision had =
          MayShow(charter, before.authority, transfer, slot, now);
      if (had.allowed() &&
          !MayShow(charter, after, transfer, slot, now).allowed())
        lost[had.authority].insert(slot);
    }
  }
  return lost;
}

// The grant of `issuer` that took the place of `ended`; "" when none did.
std::string SuccessorOf(const std::string& ended, const MemberId& issuer,
                        const Authority& authority) {
  for (const auto& [key, held] : authority.grants)
    if (key.first == issuer && held.grant.supersedes &&
        held.grant.supersedes->text() == ended)
      return key.second.text();
  return "";
}

// The grant that `event` revokes here, if it stood until now.
std::optional<GrantId> RevokedBy(const CaseEvent& event,
                                 const CaseState& before) {
  const auto* revoked = std::get_if<Revoked>(&event.body);
  if (revoked == nullptr) return std::nullopt;
  const auto key = before.grants_by_digest.find(revoked->grant);
  if (key == before.grants_by_digest.end() || key->second.first != event.from ||
      before.revoked.contains({revoked->grant, event.from}))
    return std::nullopt;
  return key->second.second;
}

std::string KeyOf(const CaseEvent& event, size_t index) {
  Bytes suffix;
  AppendU64(suffix, event.leaf ? event.leaf->value() : 0);
  AppendU64(suffix, index);
  return absl::StrCat(kDuePrefix, AsText(suffix));
}

absl::StatusOr<AccessLog::Entry> ParseDue(ByteView value) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(AsText(value)));
  AccessLog::Entry entry{.officer = std::nullopt,
                         .action = "consent_withdrawn"};
  ASSIGN_OR_RETURN(const std::string case_id, JsonString(json, "case"));
  ASSIGN_OR_RETURN(entry.case_id, CaseId::Parse(case_id));
  ASSIGN_OR_RETURN(entry.grant_or_basis, JsonString(json, "grant"));
  ASSIGN_OR_RETURN(entry.supersedes, JsonString(json, "supersedes"));
  ASSIGN_OR_RETURN(entry.from, JsonString(json, "from"));
  if (!json.contains("sections") || !json["sections"].is_array())
    return absl::DataLossError("a note of what was taken back is damaged");
  for (const Json& section : json["sections"]) {
    if (!section.is_string())
      return absl::DataLossError("a note of what was taken back is damaged");
    entry.sections.push_back(section.get<std::string>());
  }
  return entry;
}

}  // namespace

void NoteWithdrawn(const Charter& charter, const MemberId& self,
                   const Case& before, const CaseEvent& event, absl::Time now,
                   Batch& rows) {
  if (!MayTakeBack(event)) return;
  std::vector<CaseEvent> events = before.events;
  events.push_back(event);
  const Authority after = Fold(self, event.case_id, events).authority;
  auto lost = LostFrom(charter, self, event.from, before.state, after, now);
  if (const auto revoked = RevokedBy(event, before.state))
    lost.try_emplace(revoked->text());  // nothing may be held by it
  size_t index = 0;
  for (const auto& [ended, slots] : lost) {
    Json sections = Json::array();
    for (const Slot slot : slots) sections.push_back(NameOf(slot));
    const std::string successor = std::holds_alternative<Revoked>(event.body)
                                      ? ""
                                      : SuccessorOf(ended, event.from, after);
    const bool narrowed = !successor.empty();
    const Json due = {{"case", event.case_id.text()},
                      {"from", event.from.text()},
                      {"grant", narrowed ? successor : ended},
                      {"supersedes", narrowed ? ended : ""},
                      {"sections", std::move(sections)}};
    rows.Put(KeyOf(event, index++), AsBytes(DumpJson(due)));
  }
}

absl::Status LogWithdrawn(KeyValue& kv, AccessLog& access_log) {
  std::vector<std::pair<std::string, AccessLog::Entry>> due;
  absl::Status broken;
  RETURN_IF_ERROR(
      kv.Scan(kDuePrefix, "", [&](absl::string_view key, ByteView value) {
        auto entry = ParseDue(value);
        broken.Update(entry.status());
        if (entry.ok()) due.emplace_back(key, *std::move(entry));
        return true;
      }));
  RETURN_IF_ERROR(broken);
  for (const auto& [key, entry] : due) {
    Batch rows;
    rows.Delete(key);
    RETURN_IF_ERROR(access_log.Write(entry, std::move(rows)));
  }
  return absl::OkStatus();
}

}  // namespace amparo::agent
