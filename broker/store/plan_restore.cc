#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "broker/store/plan.h"
#include "crypto/checkpoint.h"
#include "proto/envelope/access_origin.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/erasure.h"
#include "proto/envelope/limits.h"
#include "proto/envelope/recall.h"
#include "proto/envelope/receipt.h"
#include "proto/network/key_event.h"

// Entries that were logged before, by a store that is lost: what they did to
// the tables then is done again, as far as it is known. Signatures were checked
// then; that the openings are the log's, their commitments prove.

namespace amparo::broker {
namespace {

absl::Status NotOfThisLog(absl::string_view what) {
  return absl::InvalidArgumentError(what);
}

// The name that the publication took.
absl::StatusOr<std::string> SlotOf(const LogEntry& entry) {
  if (const auto* charter = std::get_if<CharterEntry>(&entry.content))
    return absl::StrCat("charter/", charter->version);
  if (const auto* published = std::get_if<KeyEventEntry>(&entry.content)) {
    ASSIGN_OR_RETURN(const KeyEvent event, PeekKeyEvent(published->document));
    return absl::StrCat("key/", event.member.text(), "/", event.seq);
  }
  return absl::StrCat(
      "suspension/",
      Sha256(std::get<SuspensionEntry>(entry.content).document).ToString());
}

Digest DigestOf(const LogEntry& entry) {
  if (const auto* charter = std::get_if<CharterEntry>(&entry.content))
    return charter->hash;
  if (const auto* published = std::get_if<KeyEventEntry>(&entry.content))
    return Sha256(published->document);
  return Sha256(std::get<SuspensionEntry>(entry.content).document);
}

}  // namespace

absl::Status Plan::Restore(const LoggedEntry& logged) {
  ASSIGN_OR_RETURN(const LogEntry entry, DecodeLogEntry(logged.entry));
  if (entry.time < head_.time) return NotOfThisLog("the log's time falls");
  const auto* sealed = std::get_if<CommitmentEntry>(&entry.content);
  const LeafIndex leaf = AppendDated(entry, logged.salt).index;
  if (sealed == nullptr)
    return RestorePublication(leaf, entry, logged.document);
  if (logged.event.empty() && logged.salt.empty()) return absl::OkStatus();
  if (logged.salt.size() != kSaltBytes ||
      LeafCommitment(logged.salt, logged.event) != sealed->commitment)
    return NotOfThisLog("an opening does not fit its entry");
  const auto event = DecodeAuditEvent(logged.event);
  if (!event.ok()) return absl::OkStatus();
  const Parties parties = std::visit(
      [&](const auto& said) { return Redo(leaf, logged.event, said); }, *event);
  if (absl::IsInvalidArgument(parties.status())) return absl::OkStatus();
  RETURN_IF_ERROR(parties.status());
  Put(Table::kOpenings, NumberKey(leaf.value()),
      EncodeOpening(Distinct(*parties), logged.salt, logged.event));
  return absl::OkStatus();
}

absl::Status Plan::RestorePublication(LeafIndex leaf, const LogEntry& entry,
                                      const std::string& document) {
  const Digest digest = DigestOf(entry);
  if (std::holds_alternative<CharterEntry>(entry.content)) {
    if (Sha256(document) != digest)
      return NotOfThisLog("a charter is not the one that its entry names");
    Put(Table::kDocuments, ToText(digest.bytes()), ToBytes(document));
  }
  ASSIGN_OR_RETURN(const std::string slot, SlotOf(entry));
  ASSIGN_OR_RETURN(const std::optional<std::string> taken,
                   Get(Table::kRequests, SlotRequestKey(slot)));
  if (taken) return NotOfThisLog("two publications under one name");
  PutPublication(leaf, slot, digest);
  return absl::OkStatus();
}

// --- What each event did.

Plan::Parties Plan::Redo(LeafIndex leaf, const Bytes&,
                         const EnvelopeEvent& said) {
  ASSIGN_OR_RETURN(const Header header, DecodeHeader(said.header));
  const Digest digest = EnvelopeDigest(said.header, said.body);
  ASSIGN_OR_RETURN(const Waiting waiting,
                   Pending(header.recipient, header.sender));
  ++*waiting.all;
  ++*waiting.of_sender;
  Put(Table::kRequests, EnvelopeRequestKey(header.sender, header.envelope_id),
      EncodeRequest({leaf, digest}));
  const EnvelopeRecord record{
      leaf,          digest,           header.envelope_id,
      header.sender, header.recipient, header.expires};
  Put(Table::kRecords, NumberKey(leaf.value()), EncodeRecord({record, {}, {}}));
  Put(Table::kExpiries, ExpiryKey(header.expires, leaf), {});
  restored_[digest] = leaf;
  return std::vector{header.sender, header.recipient};
}

Plan::Parties Plan::Redo(LeafIndex leaf, const Bytes& event,
                         const AnchorEvent& said) {
  ASSIGN_OR_RETURN(const SignedAnchor anchor,
                   MakeSignedAnchor(said.anchor, said.signature));
  const MemberId& member = anchor.anchor.member;
  Put(Table::kRequests, EventRequestKey(member, event),
      EncodeRequest({leaf, Sha256(event)}));
  return std::vector{member};
}

Plan::Parties Plan::Redo(LeafIndex leaf, const Bytes& event,
                         const ReceiptEvent& said) {
  ASSIGN_OR_RETURN(const Receipt receipt, PeekReceipt(said.token));
  const auto kind = receipt.kind == ReceiptKind::kDelivered
                        ? EnvelopeEventKind::kDelivered
                        : EnvelopeEventKind::kUndecryptable;
  RETURN_IF_ERROR(RedoSettle(receipt.leaf, receipt.digest, kind, event, leaf));
  // Also where nobody knows the envelope any more: its sender does.
  PutItem(receipt.audience, leaf, {ItemKind::kNotice, receipt.leaf});
  return std::vector{receipt.issuer, receipt.audience};
}

Plan::Parties Plan::Redo(LeafIndex leaf, const Bytes& event,
                         const RecallEvent& said) {
  ASSIGN_OR_RETURN(const Recall recall, PeekRecall(said.token));
  ASSIGN_OR_RETURN(const std::optional<std::string> value,
                   Get(Table::kRequests,
                       EnvelopeRequestKey(recall.sender, recall.envelope_id)));
  if (!value) return std::vector{recall.sender};
  ASSIGN_OR_RETURN(const RequestRow request, DecodeRequest(*value));
  RETURN_IF_ERROR(RedoSettle(request.leaf, recall.digest,
                             EnvelopeEventKind::kRecalled, event, leaf));
  ASSIGN_OR_RETURN(const std::optional<RecordRow> row, GetRecord(request.leaf));
  if (!row) return std::vector{recall.sender};
  return std::vector{row->record.sender, row->record.recipient};
}

Plan::Parties Plan::Redo(LeafIndex leaf, const Bytes& event,
                         const ExpiryEvent& said) {
  ASSIGN_OR_RETURN(const std::optional<RecordRow> row,
                   FindExpired(said.digest, head_.time));
  // It names nobody.
  if (!row) return absl::InvalidArgumentError("the expiry of something lost");
  RETURN_IF_ERROR(RedoSettle(row->record.leaf, said.digest,
                             EnvelopeEventKind::kExpired, event, leaf));
  return std::vector{row->record.sender, row->record.recipient};
}

Plan::Parties Plan::Redo(LeafIndex leaf, const Bytes& event,
                         const ErasureEvent& said) {
  ASSIGN_OR_RETURN(const Erasure erasure, PeekErasure(said.token));
  RETURN_IF_ERROR(RedoErasure(erasure));
  Put(Table::kRequests, EventRequestKey(erasure.member, event),
      EncodeRequest({leaf, Sha256(event)}));
  return std::vector{erasure.member};
}

absl::Status Plan::RedoErasure(const Erasure& erasure) {
  Erase erase{erasure.member, std::nullopt, {}};
  if (erasure.authority == ErasureAuthority::kCaseOpener)
    erase.alone_if_asked_by = head_.time - kErasureAnswer;
  for (const LeafIndex target : erasure.leaves) {
    ASSIGN_OR_RETURN(const std::optional<std::string> value,
                     Get(Table::kOpenings, NumberKey(target.value())));
    if (!value) continue;
    ASSIGN_OR_RETURN(const Opening opening, DecodeOpening(target, *value));
    if (Concerns(opening, erasure.member))
      RETURN_IF_ERROR(EraseOpening(erase, {target, opening.parties}));
  }
  return absl::OkStatus();
}

// --- What comes when its entry is here already.

absl::Status Plan::AddOpening(const Opening& opening) {
  ASSIGN_OR_RETURN(const Leaf leaf, ReadEntry(tables_, opening.leaf));
  const auto* sealed = std::get_if<CommitmentEntry>(&leaf.entry.content);
  if (sealed == nullptr || opening.salt.size() != kSaltBytes ||
      LeafCommitment(opening.salt, opening.event) != sealed->commitment)
    return NotOfThisLog(absl::StrCat("the opening of entry ",
                                     opening.leaf.value(),
                                     " is not the one that was logged"));
  Put(Table::kOpenings, NumberKey(opening.leaf.value()),
      EncodeOpening(Distinct(opening.parties), opening.salt, opening.event));
  ASSIGN_OR_RETURN(const AuditEvent event, DecodeAuditEvent(opening.event));
  if (const auto* sent = std::get_if<EnvelopeEvent>(&event))
    return AddLate(opening, *sent);
  if (const auto* answered = std::get_if<ReceiptEvent>(&event)) {
    ASSIGN_OR_RETURN(const Receipt receipt, PeekReceipt(answered->token));
    return SettleLate(opening, receipt.digest,
                      receipt.kind == ReceiptKind::kDelivered
                          ? EnvelopeEventKind::kDelivered
                          : EnvelopeEventKind::kUndecryptable);
  }
  if (const auto* recalled = std::get_if<RecallEvent>(&event)) {
    ASSIGN_OR_RETURN(const Recall recall, PeekRecall(recalled->token));
    return SettleLate(opening, recall.digest, EnvelopeEventKind::kRecalled);
  }
  if (const auto* expired = std::get_if<ExpiryEvent>(&event))
    return SettleLate(opening, expired->digest, EnvelopeEventKind::kExpired);
  return absl::OkStatus();
}

absl::Status Plan::AddLate(const Opening& opening, const EnvelopeEvent& said) {
  ASSIGN_OR_RETURN(const Header header, DecodeHeader(said.header));
  const Digest digest = EnvelopeDigest(said.header, said.body);
  const EnvelopeRecord record{opening.leaf,       digest,
                              header.envelope_id, header.sender,
                              header.recipient,   header.expires};
  Put(Table::kRecords, NumberKey(opening.leaf.value()),
      EncodeRecord({record, {}, {}}));
  Put(Table::kExpiries, ExpiryKey(header.expires, opening.leaf), {});
  restored_[digest] = opening.leaf;
  return absl::OkStatus();
}

absl::Status Plan::SettleLate(const Opening& opening, const Digest& digest,
                              EnvelopeEventKind kind) {
  ASSIGN_OR_RETURN(const std::optional<RecordRow> row,
                   FindExpired(digest, head_.time + kEnvelopeLifeMax));
  if (!row) return absl::OkStatus();
  return RedoSettle(row->record.leaf, digest, kind, opening.event,
                    opening.leaf);
}

absl::Status Plan::SettleAgain(const Opening& opening,
                               const std::map<Digest, LeafIndex>& pending) {
  ASSIGN_OR_RETURN(const AuditEvent event, DecodeAuditEvent(opening.event));
  const auto settle = [&](const Digest& digest, EnvelopeEventKind kind) {
    const auto found = pending.find(digest);
    return found == pending.end()
               ? absl::OkStatus()
               : RedoSettle(found->second, digest, kind, opening.event,
                            opening.leaf);
  };
  if (const auto* answered = std::get_if<ReceiptEvent>(&event)) {
    ASSIGN_OR_RETURN(const Receipt receipt, PeekReceipt(answered->token));
    return settle(receipt.digest, receipt.kind == ReceiptKind::kDelivered
                                      ? EnvelopeEventKind::kDelivered
                                      : EnvelopeEventKind::kUndecryptable);
  }
  if (const auto* recalled = std::get_if<RecallEvent>(&event)) {
    ASSIGN_OR_RETURN(const Recall recall, PeekRecall(recalled->token));
    return settle(recall.digest, EnvelopeEventKind::kRecalled);
  }
  if (const auto* expired = std::get_if<ExpiryEvent>(&event))
    return settle(expired->digest, EnvelopeEventKind::kExpired);
  return absl::OkStatus();
}

absl::Status Plan::EraseAgain(const Opening& opening) {
  ASSIGN_OR_RETURN(const AuditEvent event, DecodeAuditEvent(opening.event));
  const auto* said = std::get_if<ErasureEvent>(&event);
  if (said == nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Erasure erasure, PeekErasure(said->token));
  ASSIGN_OR_RETURN(const Leaf leaf, ReadEntry(tables_, opening.leaf));
  head_.time = leaf.entry.time;  // as it was decided then
  return RedoErasure(erasure);
}

Plan::Parties Plan::Redo(LeafIndex leaf, const Bytes& event,
                         const AccessLogEvent& said) {
  ASSIGN_OR_RETURN(const Checkpoint checkpoint, PeekCheckpoint(said.note));
  ASSIGN_OR_RETURN(AccessOrigin origin, ParseAccessOrigin(checkpoint.origin));
  Put(Table::kRequests, EventRequestKey(origin.member, event),
      EncodeRequest({leaf, Sha256(event)}));
  return std::vector{std::move(origin.member)};
}

// --- Envelopes.

absl::Status Plan::RedoSettle(LeafIndex envelope, const Digest& digest,
                              EnvelopeEventKind kind, const Bytes& event,
                              LeafIndex leaf) {
  ASSIGN_OR_RETURN(std::optional<RecordRow> row, GetRecord(envelope));
  if (!row || row->record.digest != digest) return absl::OkStatus();
  const auto next = NextState(row->record.state, kind);
  if (!next.ok()) return absl::OkStatus();
  return EndStay(*std::move(row), *next, event, leaf).status();
}

absl::StatusOr<std::optional<RecordRow>> Plan::FindExpired(
    const Digest& digest, absl::Time until) const {
  if (const auto fresh = restored_.find(digest); fresh != restored_.end())
    return GetRecord(fresh->second);
  std::vector<LeafIndex> leaves;
  RETURN_IF_ERROR(tables_.Scan(
      Table::kExpiries, "",
      ExpiryKey(until, LeafIndex(std::numeric_limits<uint64_t>::max())),
      [&](absl::string_view key, absl::string_view) {
        leaves.push_back(LeafIndex(ReadU64(AsBytes(key.substr(8)))));
        return true;
      }));
  for (const LeafIndex leaf : leaves) {
    ASSIGN_OR_RETURN(std::optional<RecordRow> row, GetRecord(leaf));
    if (row && row->record.digest == digest) return row;
  }
  return std::nullopt;
}

}  // namespace amparo::broker
