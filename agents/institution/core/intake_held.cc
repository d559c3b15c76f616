#include <map>
#include <utility>

#include "agents/institution/core/intake.h"
#include "base/event_log.h"
#include "base/status.h"
#include "proto/envelope/codec.h"

// Mail under a key that nobody vouches for: whoever stole an identity key can
// make such a key. It waits, without effect, for the key's words to be compared
// or for the witnesses to have had their time.

namespace amparo::agent {

absl::Status Intake::CheckTrust(const Header& header, LeafIndex leaf,
                                absl::Time at, const Peers& peers) const {
  ASSIGN_OR_RETURN(
      const SignerRecord signer,
      peers.keys.SignerAt(header.sender, header.sender_kid, leaf, at));
  return books_.peers.CheckTrust(peers, signer);
}

// No room: it is not opened, not acknowledged, and its place among the links is
// left empty. Its sender is asked for it when its key is trusted.
absl::Status Intake::LeaveForLater(const LeafReceipt& leaf,
                                   const Header& header, Batch rows) {
  books_.held.PutOverflow({header.sender, header.sender_kid, leaf.leaf,
                           leaf.time, header.link_seq, false},
                          rows);
  LogEvent(EventLevel::kWarning, "envelope_not_held",
           {{"sender", header.sender}, {"leaf", leaf.leaf}});
  return books_.kv.Write(rows);
}

absl::Status Intake::AskForOverflow(const Peers& peers) {
  for (HeldOverflow overflow : books_.held.Overflows()) {
    const auto signer = peers.keys.SignerAt(overflow.sender, overflow.kid,
                                            overflow.leaf, overflow.leaf_time);
    if (!signer.ok()) continue;
    const bool trusted = books_.peers.CheckTrust(peers, *signer).ok();
    if (!trusted && !signer->revoked_at.has_value()) continue;
    Batch rows;
    bool is_over = !trusted;  // nobody will vouch for it
    if (trusted && overflow.asked) {
      ASSIGN_OR_RETURN(const bool open,
                       links_.HasGap(overflow.sender, overflow.kid));
      is_over = !open;
    } else if (trusted) {
      RETURN_IF_ERROR(links_.MissUpTo(overflow.sender, overflow.kid,
                                      overflow.link_seq, books_.clock.Now(),
                                      rows));
      overflow.asked = true;
      books_.held.PutOverflow(overflow, rows);
    }
    if (is_over) books_.held.RemoveOverflow(overflow.kid, rows);
    if (rows.empty()) continue;
    const absl::Status written = books_.kv.Write(rows);
    if (written.ok()) continue;
    // As it was, or it would not be asked for.
    Batch none;
    overflow.asked = overflow.asked && is_over;
    books_.held.PutOverflow(overflow, none);
    return written;
  }
  return absl::OkStatus();
}

absl::Status Intake::Hold(Opened message, Bytes header_bytes,
                          const InboundEvent& inbound, Batch rows) {
  std::optional<Priority> priority;
  if (inbound.document && message.payload.kind == EventKind::kReferral)
    priority = inbound.document->claims.priority;
  NoteUnfolded(message.leaf, message.header.sender, CasesOf(&message.payload),
               rows);
  RETURN_IF_ERROR(books_.held.Hold(
      {message.leaf, message.leaf_time, std::move(header_bytes), message.digest,
       std::move(message.payload)},
      priority, std::move(rows)));
  LogEvent(EventLevel::kWarning, "envelope_held",
           {{"sender", message.header.sender}, {"leaf", message.leaf}});
  return absl::OkStatus();
}

absl::Status Intake::ReleaseHeld() {
  MutexLock turn(turn_);
  const auto peers = books_.peers.Now();
  // Once for each key, and before anything is read: there may be many.
  std::map<std::pair<Digest, LeafIndex>, absl::Status> trusted;
  absl::Status first;
  for (const HeldPlace& place : books_.held.Places()) {
    const auto signer = peers->keys.SignerAt(place.sender, place.kid,
                                             place.leaf, place.leaf_time);
    if (!signer.ok()) continue;  // frozen: for people to sort out
    const auto [trust, is_new] =
        trusted.try_emplace({place.kid, signer->leaf}, absl::OkStatus());
    if (is_new) trust->second = books_.peers.CheckTrust(*peers, *signer);
    // Another key took its place before anybody vouched for it: nobody will.
    if (!trust->second.ok() && !signer->revoked_at.has_value()) continue;
    first.Update(Release(place.leaf, trust->second, *peers));
  }
  if (first.ok()) first = AskForOverflow(*peers);
  return first;
}

absl::Status Intake::Release(LeafIndex leaf, const absl::Status& trust,
                             const Peers& peers) {
  ASSIGN_OR_RETURN(HeldMessage held, books_.held.Find(leaf));
  ASSIGN_OR_RETURN(Header header, DecodeHeader(held.header_bytes));
  Batch rows;
  books_.held.Remove(leaf, rows);
  ForgetUnfolded(leaf, rows);
  const Opened message{std::move(header), held.digest, leaf, held.leaf_time,
                       std::move(held.payload)};
  absl::Status taken = trust;
  if (trust.ok()) {
    auto inbound = Verify(message, peers);
    taken = inbound.ok() ? TakeIn(message, *std::move(inbound), peers, rows)
                         : inbound.status();
  }
  if (IsOwnTrouble(taken)) return taken;
  if (!taken.ok()) {
    // It was acknowledged: kept, be there room or not.
    NoteUnfolded(leaf, message.header.sender, CasesOf(&message.payload), rows);
    RETURN_IF_ERROR(Quarantine(leaf, message.header.sender, true,
                               held.header_bytes, taken, std::move(rows)));
  }
  books_.held.Forget(leaf);
  return absl::OkStatus();
}

}  // namespace amparo::agent
