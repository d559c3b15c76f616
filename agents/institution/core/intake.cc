#include "agents/institution/core/intake.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agents/institution/core/anchors.h"
#include "agents/institution/core/erasing.h"
#include "base/error.h"
#include "base/event_log.h"
#include "base/status.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/limits.h"
#include "proto/envelope/log_entry.h"

namespace amparo::agent {
namespace {

constexpr char kCursorKey[] = "in/cursor";
constexpr char kQuarantinePrefix[] = "in/quarantine/";

std::string LeafKey(absl::string_view prefix, LeafIndex leaf) {
  Bytes suffix;
  AppendU64(suffix, leaf.value());
  return absl::StrCat(prefix, AsText(suffix));
}

Bytes EventBytes(const Envelope& envelope) {
  return EncodeAuditEvent(EnvelopeEvent{
      envelope.header_bytes, BodyDigest(envelope.enc, envelope.ciphertext),
      envelope.signature});
}

absl::Status Refused(absl::string_view why) {
  return MakeError(absl::StatusCode::kPermissionDenied, why,
                   {.code = "verification_failed"});
}

// Trouble of this agent, not of the message: nothing is decided by it.
bool IsOwnTrouble(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kDataLoss:
      return true;
    default:
      return false;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Intake>> Intake::Open(const Books& books) {
  std::unique_ptr<Intake> intake(new Intake(books));
  RETURN_IF_ERROR(
      books.kv.Scan(kQuarantinePrefix, "", [&](absl::string_view, ByteView) {
        ++intake->quarantined_;
        return true;
      }));
  return intake;
}

std::optional<LeafIndex> Intake::cursor() const {
  const auto stored = books_.kv.Get(kCursorKey);
  if (!stored.ok() || stored->size() != 8) return std::nullopt;
  return LeafIndex(ReadU64(*stored));
}

absl::Status Intake::Take(const MailboxItem& item) {
  MutexLock turn(turn_);
  if (item.receipt.leaf.value() >= books_.log.size().value())
    return absl::FailedPreconditionError("this leaf is not proven yet");
  if (const auto done = cursor(); done && item.receipt.leaf <= *done)
    return absl::OkStatus();  // served again after a broken stream
  if (const auto* envelope = std::get_if<Envelope>(&item.event))
    return TakeEnvelope(item.receipt, *envelope);
  if (const auto* notice = std::get_if<ReceiptNotice>(&item.event))
    return TakeReceipt(item.receipt, notice->token);
  if (const auto* notice = std::get_if<RecalledNotice>(&item.event))
    return TakeRecalled(item.receipt, *notice);
  return TakeExpired(item.receipt, std::get<ExpiredNotice>(item.event).digest);
}

absl::Status Intake::TakeEnvelope(const LeafReceipt& leaf,
                                  const Envelope& envelope) {
  const auto peers = books_.peers.Now();
  const Digest digest = EnvelopeDigest(envelope);
  const std::string seen_key = SeenKey(envelope.header.envelope_id);
  Batch rows;
  Finish(leaf, rows);

  // Not signed by an active member for us, or not what the log holds: it is
  // the broker's or a stranger's story, and no receipt honours it.
  if (const absl::Status outside = CheckOutside(leaf, envelope, *peers);
      !outside.ok())
    return IsOwnTrouble(outside) && !absl::IsDataLoss(outside)
               ? outside
               : Quarantine(leaf, envelope, outside, std::move(rows));
  if (const auto seen = books_.kv.Get(seen_key); seen.ok()) {
    if (!Equal(*seen, digest.bytes()))
      return Quarantine(leaf, envelope, Refused("one id for two envelopes"),
                        std::move(rows));
    return books_.kv.Write(rows);  // a replay: known, and receipted before
  }
  rows.Put(seen_key, digest.bytes());
  RETURN_IF_ERROR(PlaceLink(envelope, digest, rows));

  Payload payload{.event_id = EventId::New()};
  absl::StatusOr<InboundEvent> inbound =
      Verify(leaf, envelope, *peers, payload);
  if (absl::IsNotFound(inbound.status())) {
    RETURN_IF_ERROR(
        AddReceipt(ReceiptKind::kUndecryptable, envelope, leaf.leaf, rows));
    LogEvent(EventLevel::kWarning, "envelope_undecryptable",
             {{"sender", envelope.header.sender}, {"leaf", leaf.leaf}});
    return books_.kv.Write(rows);
  }
  if (!inbound.ok() && IsOwnTrouble(inbound.status())) return inbound.status();
  RETURN_IF_ERROR(
      AddReceipt(ReceiptKind::kDelivered, envelope, leaf.leaf, rows));
  if (!inbound.ok())
    return Quarantine(leaf, envelope, inbound.status(), std::move(rows));
  if (inbound->link) return TakeLinkEvent(*inbound->link, std::move(rows));

  const absl::Status folded = Fold(*std::move(inbound), payload, *peers, rows);
  if (folded.ok() || IsOwnTrouble(folded)) return folded;
  return Quarantine(leaf, envelope, folded, std::move(rows));
}

absl::Status Intake::CheckOutside(const LeafReceipt& leaf,
                                  const Envelope& envelope,
                                  const Peers& peers) const {
  const Header& header = envelope.header;
  RETURN_IF_ERROR(books_.log.CheckIncluded(leaf, EventBytes(envelope)));
  if (header.network_id != peers.charter.network_id)
    return Refused("it is of another network");
  if (header.recipient != books_.keys.self())
    return Refused("it is for another member");
  const Member* sender = peers.charter.charter.Find(header.sender);
  // A member that was suspended or left since may still have sent this before.
  if (sender == nullptr ||
      (sender->status != MemberStatus::kActive && sender->since <= leaf.time))
    return Refused("its sender was no active member");
  ASSIGN_OR_RETURN(const SignerRecord signer,
                   peers.keys.SignerAt(header.sender, header.sender_kid,
                                       leaf.leaf, leaf.time));
  RETURN_IF_ERROR(VerifyEnvelope(envelope, signer.key));
  if (header.created < leaf.time - kCreatedBefore ||
      header.created > leaf.time + kCreatedAfter)
    return Refused("its date does not fit the log");
  return books_.peers.CheckTrust(peers, signer);
}

absl::Status Intake::PlaceLink(const Envelope& envelope, const Digest& digest,
                               Batch& rows) {
  const MemberId& sender = envelope.header.sender;
  const absl::Time now = books_.clock.Now();
  ASSIGN_OR_RETURN(const LinkFinding finding,
                   links_.Place(envelope.header, digest, now, rows));
  if (finding == LinkFinding::kGap) books_.alarms.Raise("gap", sender, now);
  if (finding == LinkFinding::kFork)  // both are kept: two signed stories
    books_.alarms.Raise("link_fork", sender, now, envelope.header_bytes);
  return absl::OkStatus();
}

absl::StatusOr<InboundEvent> Intake::Verify(const LeafReceipt& leaf,
                                            const Envelope& envelope,
                                            const Peers& peers,
                                            Payload& payload) {
  const Header& header = envelope.header;
  ASSIGN_OR_RETURN(payload, books_.packer.Unpack(envelope));
  RETURN_IF_ERROR(CheckSeen(payload, header.sender));
  const Carrier carrier{.net = header.network_id,
                        .sender = header.sender,
                        .recipient = header.recipient,
                        .anchor = header.anchor,
                        .envelope = EnvelopeDigest(envelope),
                        .leaf = leaf.leaf,
                        .leaf_time = leaf.time};
  ASSIGN_OR_RETURN(
      InboundEvent inbound,
      VerifyInbound(payload, carrier,
                    KeysAt(peers, header.sender, leaf.leaf, leaf.time)));
  if (payload.origin)
    RETURN_IF_ERROR(VerifyOrigin(*payload.origin, SdJwtDigest(payload.document),
                                 header.sender, peers, books_.log));
  return inbound;
}

// A peer that saw another log than we did: the broker shows two.
absl::Status Intake::CheckSeen(const Payload& payload, const MemberId& sender) {
  const auto root = books_.log.RootAt(TreeSize(payload.seen_size));
  if (root && *root != payload.seen_root)
    books_.alarms.Raise("log_fork", sender, books_.clock.Now(),
                        payload.seen_root.bytes());
  return absl::OkStatus();
}

absl::Status Intake::Fold(InboundEvent inbound, const Payload& payload,
                          const Peers& peers, Batch rows) {
  const CaseEvent event = *inbound.event;
  absl::Status refused;
  const auto decide = [&](const Case* entry) -> absl::StatusOr<CaseChange> {
    const CaseState state =
        entry == nullptr ? amparo::Fold(books_.keys.self(), event.case_id, {})
                         : entry->state;
    refused = MayAdd(books_.keys.self(), state, event);
    if (refused.ok() && inbound.document)
      refused = RequireCovered(peers.charter.charter, state, inbound,
                               books_.clock.Now());
    if (!refused.ok()) return refused;
    CaseChange change{{*inbound.event}, {}, std::move(rows)};
    if (inbound.document) {
      Content content{payload.document, {}};
      ASSIGN_OR_RETURN(content.disclosures, BySlot(payload.disclosures));
      change.contents[event.id] = std::move(content);
    }
    return change;
  };
  RETURN_IF_ERROR(books_.cases.Change(event.case_id, decide).status());
  LogEvent("event_received", {{"sender", event.from}, {"leaf", *event.leaf}});
  if (const auto* revoked = std::get_if<Revoked>(&event.body))
    return EraseWhatIsRevoked(event.case_id, event.from, revoked->grant);
  if (const auto* granted = std::get_if<Granted>(&event.body))
    return EraseWhatIsRevoked(event.case_id, event.from, granted->grant.digest);
  return absl::OkStatus();
}

absl::Status Intake::EraseWhatIsRevoked(const CaseId& id,
                                        const MemberId& granter,
                                        const Digest& grant) {
  const auto signer = books_.keys.Signer();
  if (!signer.ok()) return absl::UnavailableError("no signing key in force");
  RETURN_IF_ERROR(
      EraseUncovered({books_.cases, books_.outbox, *books_.peers.Now(), *signer,
                      books_.clock.Now()},
                     id, granter, grant));
  books_.wake_courier();
  return absl::OkStatus();
}

absl::Status Intake::Quarantine(const LeafReceipt& leaf,
                                const Envelope& envelope,
                                const absl::Status& why, Batch rows) {
  const std::string code = ErrorCodeOf(why);
  rows.Put(LeafKey(kQuarantinePrefix, leaf.leaf), EncodeEnvelope(envelope));
  RETURN_IF_ERROR(books_.kv.Write(rows));
  ++quarantined_;
  LogEvent(EventLevel::kWarning, "envelope_quarantined",
           {{"sender", envelope.header.sender},
            {"leaf", leaf.leaf},
            {"status_code", static_cast<int>(why.code())}});
  return absl::OkStatus();
}

std::string Intake::SeenKey(const EnvelopeId& id) {
  return "in/seen/" + id.text();
}

void Intake::Finish(const LeafReceipt& leaf, Batch& rows) const {
  Bytes cursor;
  AppendU64(cursor, leaf.leaf.value());
  rows.Put(kCursorKey, cursor);
}

KeyLookup Intake::KeysAt(const Peers& peers, const MemberId& member,
                         LeafIndex leaf, absl::Time at) const {
  return [&peers, member, leaf,
          at](const Digest& kid) -> absl::StatusOr<VerifyKey> {
    ASSIGN_OR_RETURN(const SignerRecord signer,
                     peers.keys.SignerAt(member, kid, leaf, at));
    return signer.key;
  };
}

}  // namespace amparo::agent
