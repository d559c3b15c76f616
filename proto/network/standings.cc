#include "proto/network/standings.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/status.h"

namespace amparo {
namespace {

// How far `from` may lie after the time of its leaf: clocks differ.
constexpr absl::Duration kFromAfterMax = absl::Minutes(5);

absl::Status Denied(absl::string_view why) {
  return MakeError(absl::StatusCode::kPermissionDenied,
                   absl::StrCat("suspension: ", why),
                   {.code = "verification_failed"});
}

absl::Status NotNow(absl::string_view why, const char* field) {
  return MakeError(absl::StatusCode::kFailedPrecondition,
                   absl::StrCat("suspension: ", why),
                   {.code = "invalid_state", .field = field});
}

}  // namespace

const Standings::Record* Standings::Find(const MemberId& member) const {
  const auto found = records_->find(member);
  return found == records_->end() ? nullptr : &found->second;
}

void Standings::SetCharter(const Charter& charter, LeafIndex leaf) {
  Records records = *records_;
  for (auto& [id, record] : records)
    if (charter.Find(id) == nullptr &&
        record.spells.back().status != MemberStatus::kLeft)
      record.spells.push_back(
          {leaf, MemberStatus::kLeft, absl::InfiniteFuture()});
  for (const Member& member : charter.members) {
    Record& record = records[member.id];
    const bool is_new = record.spells.empty() ||
                        record.spells.back().status != member.status ||
                        record.spells.back().since != member.since;
    if (!is_new) continue;
    record.spells.push_back({leaf, member.status, member.since});
    for (Stop& stop : record.stops)
      if (!stop.lifted && member.since >= stop.at) stop.lifted = leaf;
  }
  records_ = std::make_shared<const Records>(std::move(records));
}

absl::Status Standings::Suspend(absl::string_view document,
                                const AcceptedCharter& charter, LeafIndex leaf,
                                absl::Time time) {
  ASSIGN_OR_RETURN(const Suspension suspension,
                   Examine(document, charter, time));
  Records records = *records_;
  // Counted from its leaf, however late it was brought.
  records[suspension.member].stops.push_back(
      {leaf, time, std::min(suspension.until, time + kSuspensionLifeMax), {}});
  records_ = std::make_shared<const Records>(std::move(records));
  return absl::OkStatus();
}

absl::Status Standings::CheckSuspension(absl::string_view document,
                                        const AcceptedCharter& charter,
                                        absl::Time time) const {
  return Examine(document, charter, time).status();
}

absl::StatusOr<Suspension> Standings::Examine(absl::string_view document,
                                              const AcceptedCharter& charter,
                                              absl::Time time) const {
  ASSIGN_OR_RETURN(const MultiJws jws,
                   ParseMultiJws(document, kSuspensionBytesMax));
  ASSIGN_OR_RETURN(const Json payload, ParseJson(jws.payload));
  ASSIGN_OR_RETURN(Suspension suspension, DecodeSuspension(payload));
  if (suspension.net != charter.network_id) return Denied("of another network");
  // Who is suspended decides about nobody's suspension.
  const auto adjusted = Adjust(charter.charter, time);
  ASSIGN_OR_RETURN(
      const std::set<MemberId> signers,
      SuspensionSigners(jws, adjusted ? *adjusted : charter.charter, time));
  if (signers.size() < kSuspensionKeysMin)
    return Denied(
        "two governance keys of different members have to sign it, and a "
        "suspended member's counts for nothing");
  if (suspension.charter_hash != charter.hash)
    return NotNow("made under another version of the charter", "charter_hash");
  const Member* const member = charter.charter.Find(suspension.member);
  if (member == nullptr || member->status != MemberStatus::kActive)
    return NotNow("the charter has no such active member", "member");
  if (suspension.from > time + kFromAfterMax)
    return NotNow("it is for later", "from");
  if (suspension.until <= time) return NotNow("its time is over", "until");
  if (const auto until = SuspendedUntil(suspension.member, time))
    return NotNow(
        absl::StrCat(suspension.member.text(), " is suspended already, until ",
                     FormatUtc(*until)),
        "member");
  const Record* const record = Find(suspension.member);
  if (record != nullptr && !record->stops.empty() &&
      time < record->stops.back().at + kSuspensionPause)
    return NotNow(absl::StrCat("this member was suspended at ",
                               FormatUtc(record->stops.back().at),
                               "; only a charter does it within 30 days"),
                  "member");
  RETURN_IF_ERROR(CheckShare(charter.charter, time));
  return suspension;
}

absl::Status Standings::CheckShare(const Charter& charter,
                                   absl::Time time) const {
  size_t active = 0, suspended = 0;
  for (const Member& member : charter.members) {
    if (member.status != MemberStatus::kActive) continue;
    ++active;
    if (SuspendedUntil(member.id, time)) ++suspended;
  }
  if ((suspended + 1) * kSuspendedShare <= active) return absl::OkStatus();
  return NotNow(absl::StrCat("more than a third of the ", active,
                             " active members would be suspended"),
                "member");
}

bool Standings::WasActive(const MemberId& member, LeafIndex leaf,
                          absl::Time at) const {
  const Record* const record = Find(member);
  if (record == nullptr) return false;
  for (const Stop& stop : record->stops)
    if (stop.leaf < leaf && at < stop.until &&
        (!stop.lifted || leaf <= *stop.lifted))
      return false;
  for (auto spell = record->spells.rbegin(); spell != record->spells.rend();
       ++spell)
    if (spell->leaf < leaf) return spell->status == MemberStatus::kActive;
  return false;
}

bool Standings::IsDisowned(const MemberId& member, LeafIndex leaf,
                           absl::Time at) const {
  const Record* const record = Find(member);
  if (record == nullptr) return false;
  return std::any_of(record->spells.begin(), record->spells.end(),
                     [&](const Spell& spell) {
                       return (spell.status == MemberStatus::kSuspended ||
                               spell.status == MemberStatus::kLeft) &&
                              leaf <= spell.leaf && at >= spell.since;
                     });
}

std::optional<absl::Time> Standings::SuspendedUntil(const MemberId& member,
                                                    absl::Time now) const {
  const Record* const record = Find(member);
  if (record == nullptr || record->stops.empty() ||
      !record->stops.back().Holds(now))
    return std::nullopt;
  return record->stops.back().until;
}

std::shared_ptr<const Charter> Standings::Adjust(const Charter& charter,
                                                 absl::Time now) const {
  std::shared_ptr<Charter> adjusted;
  for (const auto& [id, record] : *records_) {
    if (record.stops.empty() || !record.stops.back().Holds(now)) continue;
    if (adjusted == nullptr) adjusted = std::make_shared<Charter>(charter);
    for (Member& member : adjusted->members)
      if (member.id == id && member.status == MemberStatus::kActive)
        member.status = MemberStatus::kSuspended;
  }
  return adjusted;
}

}  // namespace amparo
