#include <utility>

#include "agents/institution/core/intake.h"
#include "base/event_log.h"
#include "base/status.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/limits.h"

// Mail that does not pass: what cannot be judged yet waits, the rest is
// quarantined. Neither may fill the disk, nor keep others' mail back.

namespace amparo::agent {
// What witnesses are about to confirm may make good what is refused now; for as
// long as the mail could have come by then.
bool Intake::StillWaits(const Peers& peers, const MemberId& sender,
                        LeafIndex leaf, absl::Time leaf_time) const {
  return books_.time.NowFor(leaf_time) <
             leaf_time + kEnvelopeLifeMax + kSeenAfterExpiry &&
         books_.log.AwaitsQuorum(peers, sender, leaf);
}

absl::Status Intake::CheckNotWaiting(const Peers& peers, const MemberId& sender,
                                     const LeafReceipt& leaf) const {
  return StillWaits(peers, sender, leaf.leaf, leaf.time)
             ? absl::AbortedError("its sender's keys wait for a quorum")
             : absl::OkStatus();
}

absl::Status Intake::KeepWaiting(const MailboxItem& item, Batch rows) {
  const std::optional<MemberId> sender = SenderOf(item);
  const absl::Status kept = waiting_->Keep(item, rows);
  if (!kept.ok() && !absl::IsResourceExhausted(kept)) return kept;
  if (kept.ok()) {
    LogEvent("mail_waits", {{"sender", *sender}, {"leaf", item.receipt.leaf}});
    return absl::OkStatus();
  }
  LogEvent(EventLevel::kWarning, "mail_not_kept",
           {{"sender", *sender}, {"leaf", item.receipt.leaf}});
  // Nothing was acknowledged, and its place in the chain stays empty: it is
  // asked for like whatever is missing. Only who signed it is named.
  const auto* envelope = std::get_if<Envelope>(&item.event);
  const bool proven =
      envelope != nullptr &&
      CheckOutside(item.receipt, *envelope, *books_.peers.Now()).ok();
  books_.alarms.Raise("flood", proven ? sender : std::nullopt,
                      books_.clock.Now());
  return books_.kv.Write(rows);
}

absl::Status Intake::TakeWaiting() {
  MutexLock turn(turn_);
  const auto peers = books_.peers.Now();
  absl::Status first;
  std::optional<MemberId> waits;
  for (const WaitingMail::Place& place : waiting_->Places()) {
    // What stands behind it waits for the same, or for more.
    if (waits == place.sender) continue;
    if (StillWaits(*peers, place.sender, place.leaf, place.leaf_time)) {
      waits = place.sender;
      continue;
    }
    const auto item = waiting_->Find(place.leaf);
    Batch rows;
    waiting_->Remove(place.leaf, rows);
    const absl::Status judged =
        item.ok() ? Judge(*item, std::move(rows)) : item.status();
    if (judged.ok()) waiting_->Forget(place.leaf);
    first.Update(judged);
  }
  return first;
}

absl::Status Intake::Refuse(const LeafReceipt& leaf, const Envelope& envelope,
                            const absl::Status& why, Batch rows) {
  const Bytes bytes = EncodeEnvelope(envelope);
  if (refused_->HasRoom(std::nullopt, bytes.size()))
    return Quarantine(leaf.leaf, envelope.header.sender, false, bytes, why,
                      std::move(rows));
  LogEvent(EventLevel::kWarning, "mail_not_kept",
           {{"sender", envelope.header.sender}, {"leaf", leaf.leaf}});
  return books_.kv.Write(rows);
}

absl::Status Intake::RefuseSigned(const LeafReceipt& leaf,
                                  const Envelope& envelope,
                                  const Payload* payload,
                                  const absl::Status& why, Batch rows) {
  const MemberId& sender = envelope.header.sender;
  const Bytes bytes = EncodeEnvelope(envelope);
  if (!refused_->HasRoom(sender, bytes.size())) {
    books_.alarms.Raise("flood", sender, books_.clock.Now());
    LogEvent(EventLevel::kWarning, "mail_not_kept",
             {{"sender", sender}, {"leaf", leaf.leaf}});
    return KeepNothing(leaf, envelope, std::move(rows));
  }
  NoteUnfolded(leaf.leaf, sender, CasesOf(payload), rows);
  return Quarantine(leaf.leaf, sender, true, bytes, why, std::move(rows));
}

// This receipt takes the place of the other, and the sender seals it anew.
absl::Status Intake::KeepNothing(const LeafReceipt& leaf,
                                 const Envelope& envelope, Batch rows) {
  RETURN_IF_ERROR(
      AddReceipt(ReceiptKind::kUndecryptable, envelope, leaf.leaf, rows));
  PutSeen(envelope.header, EnvelopeDigest(envelope), rows,
          ReceiptKind::kUndecryptable);
  return books_.kv.Write(rows);
}

absl::Status Intake::Quarantine(LeafIndex leaf, const MemberId& sender,
                                bool proven, ByteView bytes,
                                const absl::Status& why, Batch rows) {
  RETURN_IF_ERROR(refused_->Keep(leaf,
                                 proven ? std::optional(sender) : std::nullopt,
                                 bytes, std::move(rows)));
  LogEvent(EventLevel::kWarning, "envelope_quarantined",
           {{"sender", sender},
            {"leaf", leaf},
            {"status_code", static_cast<int>(why.code())}});
  return absl::OkStatus();
}

}  // namespace amparo::agent
