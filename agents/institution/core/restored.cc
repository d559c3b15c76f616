#include "agents/institution/core/restored.h"

#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agents/institution/core/link_rows.h"
#include "base/encoding.h"
#include "base/json.h"
#include "base/status.h"
#include "proto/envelope/limits.h"

namespace amparo::agent {
namespace {

constexpr char kPrefix[] = "restored/";
constexpr char kAtKey[] = "restored/at";
constexpr char kAskedKey[] = "restored/asked";
constexpr char kPeerPrefix[] = "restored/peer/";
constexpr char kNoWitnessKey[] = "restored/no-witness";
constexpr char kUnanswered[] = "unanswered";
// Where a trust delay holds the questions up, they are answered after a day.
constexpr absl::Duration kUnansweredAlarm = absl::Hours(48);
// Of the intake and of the anchors.
constexpr char kCursorKey[] = "in/cursor";
constexpr char kReceiptPrefix[] = "in/receipt/";
constexpr char kAnchorPrefix[] = "anchor/";

// Keys and their orders; ids that guard against replays; the ends of chains,
// which went on since; envelopes under the old key (their drafts stay); marks
// of this kind.
constexpr std::array<absl::string_view, 7> kStaysBehind = {
    "key/",      "own-name/",      "in/seen/", "in/seen-end/",
    "out/head/", "out/under-way/", kPrefix};

std::optional<absl::Time> TimeAt(const KeyValue& kv, const char* key) {
  const auto stored = kv.Get(key);
  if (absl::IsNotFound(stored.status())) return std::nullopt;
  // What cannot be read is owed since ever, and for ever.
  if (!stored.ok() || stored->size() != 8) return absl::InfiniteFuture();
  return TimeFromUnix(static_cast<int64_t>(ReadU64(*stored)));
}

Bytes Encode(absl::Time at) {
  Bytes bytes;
  AppendU64(bytes, static_cast<uint64_t>(UnixSeconds(at)));
  return bytes;
}

// Receipts that were due bear the old key. Their mail is taken in once more
// instead: it cannot be opened, and its sender seals it anew.
absl::Status TakeInAgain(const KeyValue& kv, Batch& rows) {
  std::optional<uint64_t> first;
  RETURN_IF_ERROR(
      kv.Scan(kReceiptPrefix, "", [&](absl::string_view key, ByteView) {
        rows.Delete(key);
        key.remove_prefix(sizeof kReceiptPrefix - 1);
        if (key.size() == 8 && !first) first = ReadU64(AsBytes(key));
        return true;
      }));
  if (!first) return absl::OkStatus();
  if (*first == 0) {
    rows.Delete(kCursorKey);
    return absl::OkStatus();
  }
  Bytes cursor;
  AppendU64(cursor, *first - 1);
  rows.Put(kCursorKey, cursor);
  return absl::OkStatus();
}

// No log takes an anchor under a key that ended: it is signed anew.
absl::Status ForgetUnloggedAnchors(const KeyValue& kv, Batch& rows) {
  return kv.Scan(kAnchorPrefix, "", [&](absl::string_view key, ByteView row) {
    const auto json = ParseJson(AsText(row));
    if (json.ok() && json->is_object() && !json->value("logged", false))
      rows.Delete(key);
    return true;
  });
}

}  // namespace

bool StaysBehind(absl::string_view key) {
  return std::any_of(
      kStaysBehind.begin(), kStaysBehind.end(),
      [&](absl::string_view prefix) { return absl::StartsWith(key, prefix); });
}

absl::Status Restored::Begin(absl::Time now) {
  Batch rows;
  RETURN_IF_ERROR(TakeInAgain(kv_, rows));
  RETURN_IF_ERROR(ForgetUnloggedAnchors(kv_, rows));
  rows.Put(kAtKey, Encode(now));
  rows.Put(kNoWitnessKey, Encode(now));
  return kv_.Write(rows);
}

std::optional<absl::Time> Restored::At() const { return TimeAt(kv_, kAtKey); }

absl::Status Restored::NoteMissing(const Peers& peers, const MemberId& self) {
  if (!At() || kv_.Get(kAskedKey).ok()) return absl::OkStatus();
  Batch rows;
  for (const Member& member : peers.charter.charter.members) {
    const std::vector<Digest> kids = peers.keys.SigningKids(member.id);
    if (member.id == self || member.status == MemberStatus::kLeft ||
        !HasMailbox(member.kind) || kids.empty())
      continue;
    LinkRows links(kv_, member.id, rows);
    ASSIGN_OR_RETURN(std::vector<Gap> gaps, links.Gaps());
    // What was asked for before may have been answered to the lost store.
    for (Gap& gap : gaps) gap.asked = false;
    // From the newest chain of which something came: what was before is known.
    size_t rank = kids.size();
    Chain chain;
    while (rank > 0 && chain.seq == 0) {
      ASSIGN_OR_RETURN(chain, links.ChainOf(kids[--rank]));
    }
    for (; rank < kids.size(); ++rank) {
      ASSIGN_OR_RETURN(chain, links.ChainOf(kids[rank]));
      std::erase_if(gaps, [&](const Gap& gap) {
        return gap.kid == kids[rank] && gap.first > chain.seq;
      });
      if (chain.seq < kLinkMax)
        gaps.push_back({member.id, kids[rank], chain.seq + 1, kLinkMax,
                        absl::UnixEpoch(), false});
    }
    links.PutGaps(gaps);
    rows.Put(kPeerPrefix + member.id.text(), {});
  }
  rows.Put(kAskedKey, {});
  return kv_.Write(rows);
}

absl::Status Restored::SettleAnswered() {
  if (!At() || !kv_.Get(kAskedKey).ok()) return absl::OkStatus();
  Batch rows;
  bool all = true;
  for (const MemberId& peer : Awaited()) {
    Batch none;
    ASSIGN_OR_RETURN(const auto gaps, LinkRows(kv_, peer, none).Gaps());
    if (gaps.empty())
      rows.Delete(kPeerPrefix + peer.text());
    else
      all = false;
  }
  if (all) {
    rows.Delete(kAtKey);
    rows.Delete(kAskedKey);
  }
  return rows.empty() ? absl::OkStatus() : kv_.Write(rows);
}

void Restored::RingForUnanswered(Alarms& alarms, absl::Time now) const {
  const auto at = At();
  const std::vector<MemberId> awaited = Awaited();
  for (const AlarmRecord& alarm : alarms.List())
    if (alarm.code == kUnanswered && alarm.member &&
        std::find(awaited.begin(), awaited.end(), *alarm.member) ==
            awaited.end())
      alarms.Settle(kUnanswered, alarm.member);
  if (!at || now - *at < kUnansweredAlarm) return;
  for (const MemberId& peer : awaited)
    alarms.Raise("unanswered", peer, now);
}

absl::Status Restored::GoOnWithout(const MemberId& peer, Alarms& alarms) {
  RETURN_IF_ERROR(alarms.Acknowledge(kUnanswered, peer));
  Batch rows;
  rows.Delete(kPeerPrefix + peer.text());
  return kv_.Write(rows);
}

bool Restored::AwaitsAnswer(const MemberId& peer) const {
  if (!At()) return false;
  if (!kv_.Get(kAskedKey).ok()) return true;
  return !absl::IsNotFound(kv_.Get(kPeerPrefix + peer.text()).status());
}

std::optional<MemberId> Restored::AwaitedFor(const CaseState& state,
                                             const MemberId& self) const {
  const auto at = At();
  if (!at || state.opened_at > *at) return std::nullopt;
  for (const MemberId& party : state.parties)
    if (party != self && AwaitsAnswer(party)) return party;
  return std::nullopt;
}

std::vector<MemberId> Restored::Awaited() const {
  std::vector<MemberId> peers;
  kv_.Scan(kPeerPrefix, "",
           [&](absl::string_view key, ByteView) {
             key.remove_prefix(sizeof kPeerPrefix - 1);
             if (auto peer = MemberId::Parse(key); peer.ok())
               peers.push_back(*std::move(peer));
             return true;
           })
      .IgnoreError();
  return peers;
}

std::optional<absl::Time> Restored::NoWitnessSince() const {
  return TimeAt(kv_, kNoWitnessKey);
}

absl::Status Restored::WitnessAgain() {
  Batch rows;
  rows.Delete(kNoWitnessKey);
  return kv_.Write(rows);
}

}  // namespace amparo::agent
