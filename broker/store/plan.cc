#include "broker/store/plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status.h"
#include "crypto/random.h"
#include "proto/envelope/limits.h"

namespace amparo::broker {
namespace {

std::string SeenKey(Table table, absl::string_view key) {
  std::string seen(1, static_cast<char>(table));
  absl::StrAppend(&seen, key);
  return seen;
}

// A later operation of the same batch may ask for these.
bool MayBeReadBack(Table table) {
  return table == Table::kRequests || table == Table::kRecords ||
         table == Table::kOpenings || table == Table::kErasures;
}

const Digest& DigestOf(const Publish& publish, Digest& scratch) {
  if (const auto* charter = std::get_if<CharterEntry>(&publish.content))
    return charter->hash;
  if (const auto* event = std::get_if<KeyEventEntry>(&publish.content))
    scratch = Sha256(event->document);
  else
    scratch = Sha256(std::get<SuspensionEntry>(publish.content).document);
  return scratch;
}

}  // namespace

std::string PendingKey(const MemberId& recipient) {
  return absl::StrCat("pending/", recipient.text());
}

std::string PendingKey(const MemberId& recipient, const MemberId& sender) {
  return absl::StrCat("pending/", recipient.text(), "/", sender.text());
}

std::vector<MemberId> Distinct(std::vector<MemberId> parties) {
  std::sort(parties.begin(), parties.end());
  parties.erase(std::unique(parties.begin(), parties.end()), parties.end());
  return parties;
}

absl::StatusOr<Leaf> ReadEntry(const Tables& tables, LeafIndex index) {
  ASSIGN_OR_RETURN(const std::string encoded,
                   tables.Get(Table::kEntries, NumberKey(index.value())));
  ASSIGN_OR_RETURN(LogEntry entry, DecodeLogEntry(AsBytes(encoded)));
  return Leaf{index, std::move(entry), {}};
}

absl::StatusOr<Leaf> ReadLeaf(const Tables& tables, LeafIndex index) {
  ASSIGN_OR_RETURN(Leaf leaf, ReadEntry(tables, index));
  if (std::holds_alternative<CommitmentEntry>(leaf.entry.content)) {
    ASSIGN_OR_RETURN(const std::string value,
                     tables.Get(Table::kOpenings, NumberKey(index.value())));
    ASSIGN_OR_RETURN(Opening opening, DecodeOpening(index, value));
    leaf.salt = std::move(opening.salt);
  }
  return leaf;
}

OpResult Plan::Refused(Outcome outcome) { return {outcome, std::nullopt, {}}; }

Plan::Plan(const Tables& tables, const LogHead& head, absl::Time now)
    : tables_(tables),
      now_(TimeFromUnix(UnixSeconds(now))),
      head_(head),
      first_(head.range.size().value()) {}

absl::StatusOr<OpResult> Plan::Run(const Op& op) {
  return std::visit(
      [&](const auto& action) -> Answer {
        ASSIGN_OR_RETURN(std::optional<OpResult> earlier,
                         FindEarlier(op, action));
        if (earlier) return *std::move(earlier);
        if (op.replay_only) return Refused(Outcome::kUnknown);
        if (op.publications && *op.publications != head_.publications)
          return Refused(Outcome::kStale);
        return Apply(op, action);
      },
      op.action);
}

Changes Plan::TakeChanges() {
  if (fresh_.empty()) return {};
  for (const auto& [key, count] : pending_) {
    if (count == 0) {
      changes_.Delete(Table::kState, key);
      continue;
    }
    Bytes value;
    AppendU64(value, count);
    changes_.Put(Table::kState, key, std::move(value));
  }
  changes_.Put(Table::kState, kHeadKey, EncodeHead(head_));
  return std::move(changes_);
}

// --- What was asked before.

Plan::Earlier Plan::FindRequest(const std::string& key, const Digest& digest) {
  ASSIGN_OR_RETURN(const std::optional<std::string> value,
                   Get(Table::kRequests, key));
  if (!value) return std::nullopt;
  ASSIGN_OR_RETURN(const RequestRow row, DecodeRequest(*value));
  if (row.digest != digest) return Refused(Outcome::kReused);
  return Replay(row.leaf);
}

Plan::Answer Plan::Replay(LeafIndex index) {
  if (index.value() >= first_)
    return OpResult{Outcome::kReplayed, fresh_[index.value() - first_], {}};
  absl::StatusOr<Leaf> leaf = ReadLeaf(tables_, index);
  // Erased since: nobody can be told the salt any more.
  if (absl::IsNotFound(leaf.status())) return Refused(Outcome::kWrongState);
  RETURN_IF_ERROR(leaf.status());
  return OpResult{Outcome::kReplayed, std::move(leaf).value(), {}};
}

Plan::Earlier Plan::FindEarlier(const Op&, const Submit& submit) {
  const Header& header = submit.envelope->header;
  return FindRequest(EnvelopeRequestKey(header.sender, header.envelope_id),
                     submit.digest);
}

Plan::Earlier Plan::FindEarlier(const Op& op, const Settle& settle) {
  ASSIGN_OR_RETURN(const std::optional<RecordRow> row,
                   GetRecord(settle.envelope));
  if (!row || row->record.digest != settle.digest)
    return Refused(Outcome::kUnknown);
  if (row->record.state == EnvelopeState::kPending) return std::nullopt;
  if (row->settled_digest == Sha256(op.event)) return Replay(row->settled_leaf);
  return Refused(Outcome::kWrongState);
}

Plan::Earlier Plan::FindEarlier(const Op& op, const Date& date) {
  return FindRequest(EventRequestKey(date.member, op.event), Sha256(op.event));
}

Plan::Earlier Plan::FindEarlier(const Op& op, const Erase& erase) {
  return FindRequest(EventRequestKey(erase.member, op.event), Sha256(op.event));
}

Plan::Earlier Plan::FindEarlier(const Op&, const Publish& publish) {
  Digest scratch;
  return FindRequest(SlotRequestKey(publish.slot), DigestOf(publish, scratch));
}

// --- What is new.

Plan::Answer Plan::Apply(const Op& op, const Submit& submit) {
  const Envelope& envelope = *submit.envelope;
  const Header& header = envelope.header;
  ASSIGN_OR_RETURN(const Waiting waiting,
                   Pending(header.recipient, header.sender));
  if (*waiting.all >= submit.mailbox_envelopes_max)
    return Refused(Outcome::kMailboxFull);
  if (*waiting.of_sender >= submit.sender_envelopes_max)
    return Refused(Outcome::kShareFull);
  ++*waiting.all;
  ++*waiting.of_sender;

  Leaf leaf = Commit(op.event, {header.sender, header.recipient});
  const std::string key = NumberKey(leaf.index.value());
  Put(Table::kRequests, EnvelopeRequestKey(header.sender, header.envelope_id),
      EncodeRequest({leaf.index, submit.digest}));
  const EnvelopeRecord record{leaf.index,         submit.digest,
                              header.envelope_id, header.sender,
                              header.recipient,   header.expires};
  Put(Table::kRecords, key, EncodeRecord({record, {}, {}}));
  Put(Table::kExpiries, ExpiryKey(header.expires, leaf.index), {});
  changes_.PutBorrowed(Table::kEnvelopes, key, envelope.ciphertext,
                       EnvelopeTail(envelope.enc));
  PutItem(header.recipient, leaf.index, {ItemKind::kEnvelope, leaf.index});
  return OpResult{Outcome::kApplied, std::move(leaf), {header.recipient}};
}

Plan::Answer Plan::Apply(const Op& op, const Settle& settle) {
  ASSIGN_OR_RETURN(std::optional<RecordRow> row, GetRecord(settle.envelope));
  const EnvelopeRecord& record = row->record;  // FindEarlier saw it
  const auto next = NextState(record.state, settle.kind);
  if (!next.ok()) return Refused(Outcome::kWrongState);
  Leaf leaf = Commit(op.event, {record.sender, record.recipient});
  ASSIGN_OR_RETURN(std::vector<MemberId> concerns,
                   EndStay(*std::move(row), *next, op.event, leaf.index));
  return OpResult{Outcome::kApplied, std::move(leaf), std::move(concerns)};
}

absl::StatusOr<std::vector<MemberId>> Plan::EndStay(RecordRow row,
                                                    EnvelopeState state,
                                                    const Bytes& event,
                                                    LeafIndex leaf) {
  EnvelopeRecord& record = row.record;
  RETURN_IF_ERROR(Leave(record));
  const std::string key = NumberKey(record.leaf.value());
  record.state = state;
  row.settled_leaf = leaf;
  row.settled_digest = Sha256(event);
  Put(Table::kRecords, key, EncodeRecord(row));
  Delete(Table::kEnvelopes, key);
  Delete(Table::kExpiries, ExpiryKey(record.expires, record.leaf));
  Delete(Table::kMailbox, MailboxKey(record.recipient, record.leaf));

  const MailboxRow notice{ItemKind::kNotice, record.leaf};
  switch (state) {
    case EnvelopeState::kRecalled:
      PutItem(record.recipient, leaf, {ItemKind::kRecall, record.leaf});
      return std::vector{record.recipient};
    case EnvelopeState::kExpired:
      PutItem(record.sender, leaf, notice);
      PutItem(record.recipient, leaf, notice);
      return std::vector{record.sender, record.recipient};
    default:
      PutItem(record.sender, leaf, notice);
      return std::vector{record.sender};
  }
}

// One less waits, unless a rebuild let go of it: then its name is free, or
// another's.
absl::Status Plan::Leave(const EnvelopeRecord& record) {
  ASSIGN_OR_RETURN(
      const std::optional<std::string> name,
      Get(Table::kRequests,
          EnvelopeRequestKey(record.sender, record.envelope_id)));
  if (!name) return absl::OkStatus();
  ASSIGN_OR_RETURN(const RequestRow request, DecodeRequest(*name));
  if (request.leaf != record.leaf) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Waiting waiting,
                   Pending(record.recipient, record.sender));
  if (*waiting.all > 0) --*waiting.all;
  if (*waiting.of_sender > 0) --*waiting.of_sender;
  return absl::OkStatus();
}

Plan::Answer Plan::Apply(const Op& op, const Date& date) {
  Leaf leaf = Commit(op.event, {date.member});
  Put(Table::kRequests, EventRequestKey(date.member, op.event),
      EncodeRequest({leaf.index, Sha256(op.event)}));
  return OpResult{Outcome::kApplied, std::move(leaf), {}};
}

Plan::Answer Plan::Apply(const Op&, const Publish& publish) {
  Digest scratch;
  const Digest& digest = DigestOf(publish, scratch);
  LogEntry entry;
  std::visit([&](const auto& content) { entry.content = content; },
             publish.content);
  Leaf leaf = AppendLeaf(std::move(entry), {});
  PutPublication(leaf.index, publish.slot, digest);
  if (std::holds_alternative<CharterEntry>(publish.content))
    Put(Table::kDocuments, ToText(digest.bytes()), ToBytes(publish.document));
  return OpResult{Outcome::kApplied, std::move(leaf), {}};
}

void Plan::PutPublication(LeafIndex leaf, const std::string& slot,
                          const Digest& digest) {
  Put(Table::kRequests, SlotRequestKey(slot), EncodeRequest({leaf, digest}));
  Bytes number;
  AppendU64(number, leaf.value());
  Put(Table::kPublications, NumberKey(head_.publications++), std::move(number));
}

// --- Leaves.

Leaf Plan::Commit(const Bytes& event, std::vector<MemberId> parties) {
  parties = Distinct(std::move(parties));
  Bytes salt = RandomBytes(kSaltBytes);
  LogEntry entry{{}, CommitmentEntry{LeafCommitment(salt, event)}};
  Bytes opening = EncodeOpening(parties, salt, event);
  Leaf leaf = AppendLeaf(std::move(entry), std::move(salt));
  changes_.Put(Table::kOpenings, NumberKey(leaf.index.value()),
               std::move(opening));
  return leaf;
}

Leaf Plan::AppendLeaf(LogEntry entry, Bytes salt) {
  entry.time = std::max(head_.time, now_);
  return AppendDated(std::move(entry), std::move(salt));
}

Leaf Plan::AppendDated(LogEntry entry, Bytes salt) {
  head_.time = entry.time;
  const LeafIndex index(head_.range.size().value());
  Bytes encoded = EncodeLogEntry(entry);
  head_.range.Append(LeafHash(encoded), [&](NodeId node, const Digest& hash) {
    // Tiles hold each eighth level; those between are computed from them.
    if (node.level % 8 == 0)
      changes_.Put(Table::kHashes, HashKey(node.level / 8, node.index),
                   ToBytes(hash.bytes()));
  });
  changes_.Put(Table::kEntries, NumberKey(index.value()), std::move(encoded));
  fresh_.push_back({index, std::move(entry), std::move(salt)});
  return fresh_.back();
}

void Plan::PutItem(const MemberId& member, LeafIndex leaf,
                   const MailboxRow& row) {
  Put(Table::kMailbox, MailboxKey(member, leaf), EncodeMailbox(row));
}

// --- Rows.

absl::StatusOr<std::optional<std::string>> Plan::Get(
    Table table, const std::string& key) const {
  if (const auto seen = seen_.find(SeenKey(table, key)); seen != seen_.end())
    return seen->second;
  absl::StatusOr<std::string> value = tables_.Get(table, key);
  if (absl::IsNotFound(value.status())) return std::nullopt;
  RETURN_IF_ERROR(value.status());
  return std::optional<std::string>(std::move(value).value());
}

absl::StatusOr<std::optional<RecordRow>> Plan::GetRecord(LeafIndex leaf) const {
  ASSIGN_OR_RETURN(const std::optional<std::string> value,
                   Get(Table::kRecords, NumberKey(leaf.value())));
  if (!value) return std::nullopt;
  ASSIGN_OR_RETURN(RecordRow row, DecodeRecord(*value));
  return std::optional<RecordRow>(std::move(row));
}

absl::StatusOr<Plan::Waiting> Plan::Pending(const MemberId& recipient,
                                            const MemberId& sender) {
  Waiting waiting;
  ASSIGN_OR_RETURN(waiting.all, Pending(PendingKey(recipient)));
  ASSIGN_OR_RETURN(waiting.of_sender, Pending(PendingKey(recipient, sender)));
  return waiting;
}

absl::StatusOr<uint64_t*> Plan::Pending(std::string key) {
  if (const auto known = pending_.find(key); known != pending_.end())
    return &known->second;
  ASSIGN_OR_RETURN(const std::optional<std::string> value,
                   Get(Table::kState, key));
  uint64_t count = 0;
  if (value) {
    ASSIGN_OR_RETURN(count, DecodeNumber(*value));
  }
  return &pending_.emplace(std::move(key), count).first->second;
}

void Plan::Put(Table table, const std::string& key, Bytes value) {
  if (MayBeReadBack(table)) seen_[SeenKey(table, key)] = ToText(value);
  changes_.Put(table, key, std::move(value));
}

void Plan::Delete(Table table, const std::string& key) {
  if (MayBeReadBack(table)) seen_[SeenKey(table, key)] = std::nullopt;
  changes_.Delete(table, key);
}

}  // namespace amparo::broker
