#include "agents/institution/core/intake.h"

#include <map>
#include <utility>
#include <vector>

#include "base/status.h"
#include "proto/envelope/limits.h"

// Links that are missing: asking for them. Who asks is answered in
// intake_resends.cc.

namespace amparo::agent {
namespace {

constexpr size_t kResendsMax = 16;  // that wait for one peer

}  // namespace

absl::Status Intake::PlaceLink(const Header& header, ByteView header_bytes,
                               const Digest& digest, const Peers& peers,
                               Batch& rows) {
  const absl::Time now = books_.clock.Now();
  ASSIGN_OR_RETURN(
      const LinkFinding finding,
      links_.Place(header, digest, peers.keys.SigningKids(header.sender), now,
                   rows));
  if (finding == LinkFinding::kGap)
    books_.alarms.Raise("gap", header.sender, now);
  if (finding == LinkFinding::kFork)  // both are kept: two signed stories
    books_.alarms.Raise("link_fork", header.sender, now, header_bytes);
  return absl::OkStatus();
}

absl::Status Intake::AskForMissing() {
  MutexLock turn(turn_);
  if (!books_.keys.Signer().ok()) return absl::OkStatus();  // nobody to ask as
  RETURN_IF_ERROR(AnswerAsked());
  // With a key in the log all is known of the log that was before the restore.
  RETURN_IF_ERROR(
      books_.restored.NoteMissing(*books_.peers.Now(), books_.keys.self()));
  RETURN_IF_ERROR(books_.restored.SettleAnswered());
  books_.restored.RingForUnanswered(books_.alarms, books_.clock.Now());
  // What came late, or was skipped, is no gap any more.
  for (const AlarmRecord& alarm : books_.alarms.List()) {
    if (alarm.code != "gap" || !alarm.member) continue;
    ASSIGN_OR_RETURN(const bool open, links_.HasGap(*alarm.member));
    if (!open) books_.alarms.Settle("gap", alarm.member);
  }
  ASSIGN_OR_RETURN(const std::vector<Gap> gaps,
                   links_.Unasked(books_.clock.Now(), kResendAfterGap));
  if (gaps.empty()) return absl::OkStatus();
  // Whoever makes many gaps and takes no mail keeps only its own waiting.
  ASSIGN_OR_RETURN(const std::vector<Draft> drafts, books_.outbox.Drafts());
  std::map<MemberId, size_t> waiting;
  for (const Draft& draft : drafts)
    if (draft.kind == EventKind::kResend) ++waiting[draft.recipient];
  Batch rows;
  for (const Gap& gap : gaps) {
    // It would find no room again.
    const auto overflow = books_.held.OverflowOf(gap.kid);
    if (overflow && !overflow->asked) continue;
    if (++waiting[gap.sender] > kResendsMax) continue;
    // One that no event can name keeps none of the others back.
    if (AddLinkEvent(EventKind::kResend, gap.sender, gap.kid, gap.first,
                     gap.last, rows)
            .ok())
      RETURN_IF_ERROR(links_.MarkAsked(gap, rows));
  }
  if (rows.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(books_.kv.Write(rows));
  books_.wake_courier();
  return absl::OkStatus();
}

absl::Status Intake::TakeLinkEvent(const EventDocument& event, Batch rows) {
  if (event.kind == EventKind::kSkip) {
    RETURN_IF_ERROR(links_.Settle(event.issuer, *event.link_kid, event.first,
                                  event.last, rows));
    return books_.kv.Write(rows);
  }
  if (event.kind == EventKind::kResend) RETURN_IF_ERROR(NoteAsked(event, rows));
  return books_.kv.Write(rows);
}

absl::Status Intake::AddLinkEvent(EventKind kind, const MemberId& to,
                                  const Digest& kid, uint64_t first,
                                  uint64_t last, Batch& rows) {
  ASSIGN_OR_RETURN(const SigningKey signer, books_.keys.Signer());
  const EventId id = EventId::New();
  ASSIGN_OR_RETURN(
      std::string document,
      SignEvent(EventDocument{.net = books_.peers.Now()->charter.network_id,
                              .issuer = books_.keys.self(),
                              .at = books_.clock.Now(),
                              .event_id = id,
                              .kind = kind,
                              .link_kid = kid,
                              .first = first,
                              .last = last},
                signer));
  books_.outbox.Add(Draft{.recipient = to,
                          .kind = kind,
                          .event_id = id,
                          .document = std::move(document)},
                    rows);
  return absl::OkStatus();
}

}  // namespace amparo::agent
