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

absl::Status Intake::Hold(Opened message, Bytes header_bytes,
                          const InboundEvent& inbound, Batch rows) {
  std::optional<Priority> priority;
  if (inbound.document && message.payload.kind == EventKind::kReferral)
    priority = inbound.document->claims.priority;
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
  absl::Status first;
  for (const LeafIndex leaf : books_.held.Leaves())
    if (const absl::Status released = Release(leaf, *peers); first.ok())
      first = released;
  return first;
}

absl::Status Intake::Release(LeafIndex leaf, const Peers& peers) {
  ASSIGN_OR_RETURN(HeldMessage held, books_.held.Find(leaf));
  ASSIGN_OR_RETURN(Header header, DecodeHeader(held.header_bytes));
  const auto signer = peers.keys.SignerAt(header.sender, header.sender_kid,
                                          leaf, held.leaf_time);
  if (!signer.ok()) return absl::OkStatus();  // frozen: for people to sort out
  const absl::Status trust = books_.peers.CheckTrust(peers, *signer);
  // Another key took its place before anybody vouched for it: nobody will.
  const bool lost = !trust.ok() && signer->revoked_at.has_value();
  if (!trust.ok() && !lost) return absl::OkStatus();

  Batch rows;
  books_.held.Remove(leaf, rows);
  const Opened message{std::move(header), held.digest, leaf, held.leaf_time,
                       std::move(held.payload)};
  absl::Status taken = trust;
  if (!lost) {
    auto inbound = Verify(message, peers);
    taken = inbound.ok() ? TakeIn(message, *std::move(inbound), peers, rows)
                         : inbound.status();
  }
  if (IsOwnTrouble(taken)) return taken;
  if (!taken.ok())
    RETURN_IF_ERROR(Quarantine(leaf, message.header.sender,
                               std::move(held.header_bytes), taken,
                               std::move(rows)));
  books_.held.Forget(leaf);
  return absl::OkStatus();
}

}  // namespace amparo::agent
