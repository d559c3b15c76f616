#include "agents/institution/core/intake.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agents/institution/core/anchors.h"
#include "agents/institution/core/erasing.h"
#include "agents/institution/core/opening_book.h"
#include "agents/institution/core/withdrawn.h"
#include "base/error.h"
#include "base/event_log.h"
#include "base/status.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/limits.h"
#include "proto/envelope/log_entry.h"

namespace amparo::agent {
namespace {

constexpr char kCursorKey[] = "in/cursor";

constexpr char kSeenPrefix[] = "in/seen/";
// Rows in order of their end: what may be forgotten comes first.
constexpr char kSeenEndPrefix[] = "in/seen-end/";
constexpr size_t kForgottenMax = 1000;  // in one pass

// Of one sender: another that learned the id shall not take its place.
std::string SeenName(const Header& header) {
  return absl::StrCat(header.sender.text(), "/", header.envelope_id.text());
}

std::string SeenEndKey(absl::Time end, absl::string_view name) {
  Bytes suffix;
  AppendU64(suffix, static_cast<uint64_t>(UnixSeconds(end)));
  return absl::StrCat(kSeenEndPrefix, AsText(suffix), name);
}

// Rows of envelopes that were here: their digest, and the receipt if any.
bool IsOf(const Bytes& seen, const Digest& digest) {
  return seen.size() >= Digest::kSize &&
         Equal(ByteView(seen).first(Digest::kSize), digest.bytes());
}

std::optional<ReceiptKind> ReceiptedAs(const Bytes& seen) {
  if (seen.size() == Digest::kSize) return std::nullopt;
  return static_cast<ReceiptKind>(seen[Digest::kSize]);
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

// The grant whose end the event tells of: revoked, or narrowed by another.
std::optional<Digest> EndedGrant(const CaseEvent& event) {
  if (const auto* revoked = std::get_if<Revoked>(&event.body))
    return revoked->grant;
  if (const auto* granted = std::get_if<Granted>(&event.body))
    return granted->grant.digest;
  return std::nullopt;
}

const CaseEvent* SameEvent(const Case* entry, const CaseEvent& event) {
  if (entry == nullptr) return nullptr;
  for (const CaseEvent& known : entry->events)
    if (known.from == event.from && known.id == event.id &&
        known.to == event.to &&
        !std::holds_alternative<DeliveryNoted>(known.body))
      return &known;
  return nullptr;
}

// Where this agent told `event`'s sender that it erased some of what it brings:
// in the log behind it, or not in it yet.
std::vector<const CaseEvent*> ErasedAfter(const Case* entry,
                                          const CaseEvent& event) {
  std::vector<const CaseEvent*> after;
  if (entry == nullptr) return after;
  const auto& brought = std::get<DocumentSent>(event.body).slots;
  for (const CaseEvent& other : entry->events) {
    const auto* erased = std::get_if<Erased>(&other.body);
    if (erased != nullptr && erased->answer == ErasureAnswer::kDeleted &&
        other.from == event.to && other.to == event.from &&
        (!other.leaf || *event.leaf < *other.leaf) &&
        std::any_of(erased->slots.begin(), erased->slots.end(),
                    [&](Slot slot) { return brought.contains(slot); }))
      after.push_back(&other);
  }
  return after;
}

// A sender may send an event again, and not another one in its place.
absl::Status CheckSameOrNew(const Case* entry, const CaseEvent& event) {
  const CaseEvent* known = SameEvent(entry, event);
  return known == nullptr || SaysTheSame(*known, event)
             ? absl::OkStatus()
             : Refused("a second event under one id of its sender");
}

// One member shall not fill the others' memory.
absl::Status CheckRoom(const Case* entry, const CaseEvent& event,
                       const Share& all) {
  if (const CaseEvent* same = SameEvent(entry, event)) {
    const Brought brought = BroughtBy(*same, event);
    if (brought.in_all > kAuthoritiesMax)
      return Refused("its sender has too many consents for one event");
    if (brought.added == 0) return absl::OkStatus();
  }
  Share here;
  if (entry != nullptr)
    if (const auto found = entry->shares.find(event.from);
        found != entry->shares.end())
      here = found->second;
  if (here.events >= kEventsOfPeerMax || here.bytes >= kEventBytesOfPeerMax)
    return Refused("its sender fills the case");
  return all.bytes < kAllEventBytesOfPeerMax
             ? absl::OkStatus()
             : Refused("its sender fills the memory");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Intake>> Intake::Open(const Books& books) {
  ASSIGN_OR_RETURN(auto waiting, WaitingMail::Open(books.kv));
  ASSIGN_OR_RETURN(auto refused, RefusedMail::Open(books.kv));
  return std::unique_ptr<Intake>(
      new Intake(books, std::move(waiting), std::move(refused)));
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
  Batch rows;
  Bytes cursor;
  AppendU64(cursor, item.receipt.leaf.value());
  rows.Put(kCursorKey, cursor);
  const absl::Status judged = Judge(item, rows);
  return absl::IsAborted(judged) ? KeepWaiting(item, std::move(rows)) : judged;
}

absl::Status Intake::Judge(const MailboxItem& item, Batch rows) {
  if (const auto* envelope = std::get_if<Envelope>(&item.event))
    return TakeEnvelope(item.receipt, *envelope, std::move(rows));
  if (const auto* notice = std::get_if<ReceiptNotice>(&item.event))
    return TakeReceipt(item.receipt, notice->token, std::move(rows));
  if (const auto* notice = std::get_if<RecalledNotice>(&item.event))
    return TakeRecalled(item.receipt, *notice, std::move(rows));
  return TakeExpired(item.receipt, std::get<ExpiredNotice>(item.event).digest,
                     std::move(rows));
}

absl::Status Intake::TakeEnvelope(const LeafReceipt& leaf,
                                  const Envelope& envelope, Batch rows) {
  const auto peers = books_.peers.Now();
  const MemberId& sender = envelope.header.sender;
  const Digest digest = EnvelopeDigest(envelope);

  // Not signed by an active member for us, or not what the log holds: it is
  // the broker's or a stranger's story.
  if (const absl::Status outside = CheckOutside(leaf, envelope, *peers);
      !outside.ok()) {
    if (IsOwnTrouble(outside) && !absl::IsDataLoss(outside)) return outside;
    if (!absl::IsDataLoss(outside))
      RETURN_IF_ERROR(CheckNotWaiting(*peers, sender, leaf));
    return Refuse(leaf, envelope, outside, std::move(rows));
  }
  books_.log.KeepOpening(leaf, EventBytes(envelope), rows);
  ASSIGN_OR_RETURN(const std::optional<Bytes> seen,
                   SeenRow(envelope.header, digest));
  if (seen) {
    if (!IsOf(*seen, digest))
      return Refuse(leaf, envelope, Refused("one id for two envelopes"),
                    std::move(rows));
    // A replay: known. Its receipt names another leaf, which a broker that was
    // rebuilt may not know.
    if (const auto kind = ReceiptedAs(*seen))
      RETURN_IF_ERROR(AddReceipt(*kind, envelope, leaf.leaf, rows));
    return books_.kv.Write(rows);
  }
  const bool trusted =
      CheckTrust(envelope.header, leaf.leaf, leaf.time, *peers).ok();
  if (!trusted && !books_.held.HasRoom(sender, envelope.header.sender_kid))
    return LeaveForLater(leaf, envelope.header, std::move(rows));
  PutSeen(envelope.header, digest, rows);
  RETURN_IF_ERROR(
      PlaceLink(envelope.header, envelope.header_bytes, digest, *peers, rows));

  auto payload = books_.packer.Unpack(envelope);
  if (absl::IsNotFound(payload.status())) {
    RETURN_IF_ERROR(
        AddReceipt(ReceiptKind::kUndecryptable, envelope, leaf.leaf, rows));
    PutSeen(envelope.header, digest, rows, ReceiptKind::kUndecryptable);
    LogEvent(EventLevel::kWarning, "envelope_undecryptable",
             {{"sender", sender}, {"leaf", leaf.leaf}});
    return books_.kv.Write(rows);
  }
  if (!payload.ok() && IsOwnTrouble(payload.status())) return payload.status();
  RETURN_IF_ERROR(
      AddReceipt(ReceiptKind::kDelivered, envelope, leaf.leaf, rows));
  PutSeen(envelope.header, digest, rows, ReceiptKind::kDelivered);
  if (!payload.ok())
    return RefuseSigned(leaf, envelope, nullptr, payload.status(),
                        std::move(rows));

  Opened message{envelope.header, digest, leaf.leaf, leaf.time,
                 *std::move(payload)};
  CheckSeen(message);
  auto inbound = Verify(message, *peers);
  if (!inbound.ok() && IsOwnTrouble(inbound.status())) return inbound.status();
  if (!inbound.ok()) {
    RETURN_IF_ERROR(CheckNotWaiting(*peers, sender, leaf));
    return RefuseSigned(leaf, envelope, &message.payload, inbound.status(),
                        std::move(rows));
  }
  books_.heartbeats.NoteReceived(sender, message.payload.kind, rows);
  // A sign of life has no effect that could wait.
  if (!trusted && message.payload.kind == EventKind::kHeartbeat)
    return books_.kv.Write(rows);
  if (!trusted)
    return Hold(std::move(message), envelope.header_bytes, *inbound,
                std::move(rows));

  const absl::Status taken = TakeIn(message, *std::move(inbound), *peers, rows);
  if (taken.ok() || IsOwnTrouble(taken)) return taken;
  RETURN_IF_ERROR(CheckNotWaiting(*peers, sender, leaf));
  return RefuseSigned(leaf, envelope, &message.payload, taken, std::move(rows));
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
  // A member that was suspended or left since may have sent this before; one
  // that came back since may not have sent it meanwhile (SignerAt).
  if (peers.keys.standings().IsDisowned(header.sender, leaf.leaf, leaf.time))
    return Refused("its sender was no active member");
  ASSIGN_OR_RETURN(const SignerRecord signer,
                   peers.keys.SignerAt(header.sender, header.sender_kid,
                                       leaf.leaf, leaf.time));
  RETURN_IF_ERROR(VerifyEnvelope(envelope, signer.key));
  if (header.created < leaf.time - kCreatedBefore ||
      header.created > leaf.time + kCreatedAfter)
    return Refused("its date does not fit the log");
  if (books_.time.NowFor(leaf.time) >= header.expires + kSeenAfterExpiry)
    return Refused("its life ended before it came");
  if (!peers.charter.charter.AllowsSuite(header.suite))
    return Refused("the charter does not allow its suite");
  return absl::OkStatus();
}

absl::StatusOr<InboundEvent> Intake::Verify(const Opened& message,
                                            const Peers& peers) const {
  const Header& header = message.header;
  const Carrier carrier{.net = header.network_id,
                        .sender = header.sender,
                        .recipient = header.recipient,
                        .anchor = header.anchor,
                        .envelope = message.digest,
                        .leaf = message.leaf,
                        .leaf_time = message.leaf_time};
  // What lies inside may be older than the key around it: a consent of half a
  // year ago, an answer that waited. The envelope's own signature vouches for
  // all of it here.
  const KeyLookup keys = [&](const Digest& kid) -> absl::StatusOr<VerifyKey> {
    ASSIGN_OR_RETURN(
        const SignerRecord signer,
        peers.keys.EarlierSigner(header.sender, kid, message.leaf));
    return signer.key;
  };
  ASSIGN_OR_RETURN(InboundEvent inbound,
                   VerifyInbound(message.payload, carrier, keys));
  if (message.payload.origin)
    RETURN_IF_ERROR(VerifyOrigin(*message.payload.origin,
                                 SdJwtDigest(message.payload.document),
                                 header.sender, peers, books_.log));
  return inbound;
}

absl::Status Intake::TakeIn(const Opened& message, InboundEvent inbound,
                            const Peers& peers, Batch rows) {
  if (inbound.link) return TakeLinkEvent(*inbound.link, std::move(rows));
  return Fold(std::move(inbound), message.payload, peers, std::move(rows));
}

// A peer that saw another log than we did: the broker shows two. What it saw
// when it sealed came before this envelope's own leaf, and that is proven: so a
// larger one is another log, too.
void Intake::CheckSeen(const Opened& message) {
  const Payload& payload = message.payload;
  const TreeSize size(payload.seen_size);
  const auto root = books_.log.RootAt(size);
  if (size.value() > message.leaf.value() ||
      (root && *root != payload.seen_root))
    books_.alarms.Raise("log_fork", message.header.sender, books_.clock.Now(),
                        payload.seen_root.bytes());
}

// Ids are their sender's own, and ours nobody's else.
absl::Status Intake::CheckReferralId(const CaseEvent& event) const {
  const auto* sent = std::get_if<DocumentSent>(&event.body);
  if (sent == nullptr) return absl::OkStatus();
  const auto known =
      books_.cases.FindByReferral({event.from, sent->referral_id});
  if (known != nullptr && known->state.case_id != event.case_id)
    return Refused("the referral is of another case");
  return books_.cases.FindByReferral(
             {books_.keys.self(), sent->referral_id}) == nullptr
             ? absl::OkStatus()
             : Refused("the referral is another member's");
}

absl::Status Intake::Fold(InboundEvent inbound, const Payload& payload,
                          const Peers& peers, Batch rows) {
  const CaseEvent event = *inbound.event;
  absl::Status refused = CheckReferralId(event);
  if (!refused.ok()) return refused;
  const Share of_sender = books_.cases.ShareOf(event.from);
  const auto decide = [&](const Case* entry) -> absl::StatusOr<CaseChange> {
    const CaseState state =
        entry == nullptr ? amparo::Fold(books_.keys.self(), event.case_id, {})
                         : entry->state;
    refused = CheckSameOrNew(entry, event);
    if (refused.ok()) refused = CheckRoom(entry, event, of_sender);
    if (refused.ok()) refused = MayAdd(books_.keys.self(), state, event);
    if (refused.ok() && inbound.document)
      refused = RequireCovered(peers.charter.charter, state, inbound,
                               books_.time.NowFor(event.at));
    if (!refused.ok()) return refused;
    CaseChange change{{*inbound.event}, {}, std::move(rows)};
    if (entry != nullptr)
      NoteWithdrawn(peers.charter.charter, books_.keys.self(), *entry,
                    *inbound.event, books_.time.NowFor(event.at), change.rows);
    PutOpening(*event.envelope, payload, change.rows);
    if (const CaseEvent* before = SameEvent(entry, event))
      // It came again, under another leaf: the case has one of them.
      if (before->leaf && before->leaf != event.leaf)
        NoteUnfolded(*before->leaf, event.from, {{event.case_id}}, change.rows);
    if (inbound.document) {
      Content content{payload.document, {}};
      ASSIGN_OR_RETURN(content.disclosures, BySlot(payload.disclosures));
      // Both ends count it as erased, so nothing would destroy it later.
      ASSIGN_OR_RETURN(const auto under_way,
                       books_.outbox.UnderWay(event.from));
      for (const CaseEvent* erased : ErasedAfter(entry, event)) {
        // Its leaf may be there, and before this: the courier will know.
        if (!erased->leaf && under_way &&
            under_way->draft.event_id == erased->id)
          continue;
        for (const Slot slot : std::get<Erased>(erased->body).slots)
          content.disclosures.erase(slot);
      }
      change.contents[{event.id, event.from}] = std::move(content);
    }
    return change;
  };
  // Noted in the same step: a crash before the erasing ends does not save
  // anything from it.
  const std::optional<Digest> ended = EndedGrant(event);
  if (ended) AddErasureDue(event, *ended, rows);
  RETURN_IF_ERROR(books_.cases.Change(event.case_id, decide).status());
  LogEvent("event_received", {{"sender", event.from}, {"leaf", *event.leaf}});
  // What fails now, the upkeep does.
  LogWithdrawn(books_.kv, books_.access_log).IgnoreError();
  if (ended) EraseDue().IgnoreError();
  return absl::OkStatus();
}

bool Intake::IsOwnTrouble(const absl::Status& status) {
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

absl::StatusOr<std::optional<Bytes>> Intake::SeenRow(
    const Header& header, const Digest& digest) const {
  auto own = books_.kv.Get(kSeenPrefix + SeenName(header));
  if (own.ok()) return std::optional(*std::move(own));
  if (!absl::IsNotFound(own.status())) return own.status();
  // A row of an older version does not say whose it was.
  auto old = books_.kv.Get(kSeenPrefix + header.envelope_id.text());
  if (old.ok() && IsOf(*old, digest)) return std::optional(*std::move(old));
  if (!old.ok() && !absl::IsNotFound(old.status())) return old.status();
  return std::optional<Bytes>();
}

void Intake::PutSeen(const Header& header, const Digest& digest, Batch& rows,
                     std::optional<ReceiptKind> receipt) {
  const std::string key = kSeenPrefix + SeenName(header);
  Bytes row = ToBytes(digest.bytes());
  if (receipt) row.push_back(static_cast<uint8_t>(*receipt));
  rows.Put(key, row);
  rows.Put(SeenEndKey(header.expires, SeenName(header)), AsBytes(key));
}

absl::Status Intake::ForgetSeen() {
  MutexLock turn(turn_);
  // Not by a clock that is wrong: what it forgets is gone.
  if (!books_.time.MayPublish().ok()) return absl::OkStatus();
  const absl::Time ended = books_.time.Now() - kSeenAfterExpiry;
  const std::string first_kept = SeenEndKey(ended, "");
  Batch rows;
  size_t forgotten = 0;
  RETURN_IF_ERROR(books_.kv.Scan(
      kSeenEndPrefix, "", [&](absl::string_view key, ByteView seen_key) {
        if (key >= first_kept || forgotten == kForgottenMax) return false;
        rows.Delete(AsText(seen_key));
        rows.Delete(key);
        ++forgotten;
        return true;
      }));
  if (rows.empty()) return absl::OkStatus();
  return books_.kv.Write(rows);
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
