#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "agents/institution/core/anchors.h"
#include "agents/institution/core/intake.h"
#include "agents/institution/core/take_back.h"
#include "base/event_log.h"
#include "base/status.h"
#include "proto/content/event_document.h"

// What a broker lost that was rebuilt from mirrors: the log still has its
// entry, and nobody its ciphertext (docs/PROTOCOL.md, Rebuilding).

namespace amparo::agent {
namespace {

// The newest seen to: its size u64, and when u64.
constexpr char kRebuiltKey[] = "in/rebuilt";
// A broker that is rebuilt more often than that says so for its own sake.
constexpr absl::Duration kOnceIn = absl::Hours(1);

struct Round {
  uint64_t to = 0;
  absl::Time at = absl::InfinitePast();
};

absl::StatusOr<Round> LastRound(const KeyValue& kv) {
  const auto stored = kv.Get(kRebuiltKey);
  if (absl::IsNotFound(stored.status())) return Round();
  RETURN_IF_ERROR(stored.status());
  Round round;
  round.to = ReadU64(*stored);
  if (stored->size() >= 16)
    round.at = TimeFromUnix(
        static_cast<int64_t>(ReadU64(ByteView(*stored).subspan(8))));
  return round;
}

}  // namespace

// False for what its recipient signed for, what ended otherwise, and what was
// sent once more since. Without a case nobody keeps what became of it.
bool Intake::MayBeLost(const Digest& envelope, const Draft& draft) const {
  const auto entry =
      draft.case_id ? books_.cases.Find(*draft.case_id) : nullptr;
  const CaseEvent* const event = entry ? EventOf(*entry, draft) : nullptr;
  if (event == nullptr) return true;
  return event->envelope == envelope &&
         DeliveryOf(*entry, *event) < Delivery::kDelivered;
}

absl::Status Intake::SendLostAgain(LeafIndex from, TreeSize to) {
  MutexLock turn(turn_);
  ASSIGN_OR_RETURN(const Round last, LastRound(books_.kv));
  if (to.value() <= last.to || to > books_.log.size()) return absl::OkStatus();
  const absl::Time now = books_.clock.Now();
  if (now >= last.at && now - last.at < kOnceIn) return absl::OkStatus();
  // A member that has just joined or come back has nobody to send as, and must
  // go on following to get there.
  if (!books_.keys.Signer().ok()) return absl::OkStatus();

  std::vector<std::pair<Digest, Sent>> lost;
  RETURN_IF_ERROR(
      books_.outbox.VisitSent([&](const Digest& envelope, Sent sent) {
        // Also beyond `to`: what was promised and never shown.
        if (sent.leaf >= from && !sent.again && MayBeLost(envelope, sent.draft))
          lost.emplace_back(envelope, std::move(sent));
      }));
  std::sort(lost.begin(), lost.end(), [](const auto& a, const auto& b) {
    return a.second.leaf < b.second.leaf;
  });
  Batch rows;
  RETURN_IF_ERROR(ForgetLostAnchors(books_.kv, books_.log, from, rows));
  // Nothing more will come under the links that it had. Skips are summed up, and
  // a heartbeat has no news: so no story makes this grow.
  std::map<std::pair<MemberId, Digest>, std::vector<LinkRange>> links;
  for (const auto& [envelope, sent] : lost) {
    const MemberId& to_member = sent.draft.recipient;
    links[{to_member, sent.sender_kid}].push_back(
        {sent.link_seq, sent.link_seq});
    books_.outbox.Supersede(envelope, sent, rows);
    if (sent.draft.kind == EventKind::kHeartbeat) continue;
    if (sent.draft.kind == EventKind::kSkip)
      if (const auto skipped = SkippedBy(sent.draft); skipped.ok()) {
        links[{to_member, skipped->first}].push_back(skipped->second);
        continue;
      }
    Draft draft = sent.draft;
    draft.attempts = 0;
    books_.outbox.Add(std::move(draft), rows);
  }
  for (auto& [chain, ranges] : links)
    RETURN_IF_ERROR(
        AddSkips(chain.first, chain.second, std::move(ranges), rows));
  Bytes seen;
  AppendU64(seen, to.value());
  AppendU64(seen, static_cast<uint64_t>(UnixSeconds(now)));
  rows.Put(kRebuiltKey, seen);
  RETURN_IF_ERROR(books_.kv.Write(rows));
  LogEvent(EventLevel::kWarning, "broker_rebuilt",
           {{"size", to.value()}, {"sent_again", lost.size()}});
  books_.wake_courier();
  return absl::OkStatus();
}

// Which links an own skip spoke of; by whichever own key it is.
absl::StatusOr<std::pair<Digest, Intake::LinkRange>> Intake::SkippedBy(
    const Draft& skip) const {
  const auto peers = books_.peers.Now();
  ASSIGN_OR_RETURN(
      const EventDocument event,
      VerifyEvent(skip.document,
                  [&](const Digest& kid) -> absl::StatusOr<VerifyKey> {
                    for (const SignerRecord& own :
                         peers->keys.SignersOf(books_.keys.self()))
                      if (own.key.Thumbprint() == kid) return own.key;
                    return absl::NotFoundError("no key of this member");
                  }));
  return std::pair(*event.link_kid, LinkRange{event.first, event.last});
}

// One for each run of numbers.
absl::Status Intake::AddSkips(const MemberId& to, const Digest& kid,
                              std::vector<LinkRange> ranges, Batch& rows) {
  std::sort(ranges.begin(), ranges.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (size_t begin = 0; begin < ranges.size();) {
    LinkRange run = ranges[begin];
    size_t end = begin + 1;
    for (; end < ranges.size() && ranges[end].first <= run.last + 1; ++end)
      run.last = std::max(run.last, ranges[end].last);
    RETURN_IF_ERROR(
        AddLinkEvent(EventKind::kSkip, to, kid, run.first, run.last, rows));
    begin = end;
  }
  return absl::OkStatus();
}

}  // namespace amparo::agent
