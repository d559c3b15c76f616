#include <limits>
#include <utility>

#include "base/status.h"
#include "broker/store/plan.h"
#include "broker/store/table_store.h"

namespace amparo::broker {
namespace {

// No number is greater: scans end with the table.
const std::string& NumbersEnd() {
  static const std::string end(9, '\xff');
  return end;
}

absl::Status Missing(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("the store lacks ", what));
}

// Something that another row says is there.
template <typename T>
absl::StatusOr<T> Required(absl::StatusOr<T> value, absl::string_view what) {
  if (absl::IsNotFound(value.status())) return Missing(what);
  return value;
}

}  // namespace

absl::StatusOr<std::vector<Bytes>> TableStore::Entries(LeafIndex start,
                                                       uint32_t count) const {
  std::vector<Bytes> entries;
  if (count == 0) return entries;
  RETURN_IF_ERROR(
      tables_->Scan(Table::kEntries, NumberKey(start.value()), NumbersEnd(),
                    [&](absl::string_view, absl::string_view value) {
                      entries.push_back(ToBytes(value));
                      return entries.size() < count;
                    }));
  return entries;
}

absl::StatusOr<std::vector<Digest>> TableStore::Hashes(uint32_t tile_level,
                                                       uint64_t start,
                                                       uint32_t count) const {
  std::vector<Digest> hashes;
  if (count == 0) return hashes;
  absl::Status damage;
  RETURN_IF_ERROR(tables_->Scan(
      Table::kHashes, HashKey(tile_level, start), HashKey(tile_level + 1, 0),
      [&](absl::string_view, absl::string_view value) {
        const absl::StatusOr<Digest> hash = Digest::FromBytes(AsBytes(value));
        if (!hash.ok()) {
          damage = Missing("a whole node");
          return false;
        }
        hashes.push_back(*hash);
        return hashes.size() < count;
      }));
  RETURN_IF_ERROR(damage);
  return hashes;
}

absl::StatusOr<Opening> TableStore::GetOpening(LeafIndex leaf) const {
  ASSIGN_OR_RETURN(const std::string value,
                   tables_->Get(Table::kOpenings, NumberKey(leaf.value())));
  return DecodeOpening(leaf, value);
}

absl::StatusOr<std::vector<Opening>> TableStore::Openings(
    LeafIndex start, LeafIndex end, uint32_t count) const {
  std::vector<Opening> openings;
  if (count == 0) return openings;
  absl::Status damage;
  RETURN_IF_ERROR(tables_->Scan(
      Table::kOpenings, NumberKey(start.value()), NumberKey(end.value()),
      [&](absl::string_view key, absl::string_view value) {
        absl::StatusOr<Opening> opening =
            DecodeOpening(LeafIndex(ReadU64(AsBytes(key))), value);
        damage = opening.status();
        if (!damage.ok()) return false;
        openings.push_back(std::move(opening).value());
        return openings.size() < count;
      }));
  RETURN_IF_ERROR(damage);
  return openings;
}

absl::StatusOr<std::vector<Publication>> TableStore::Publications(
    uint64_t from, uint32_t count) const {
  std::vector<LeafIndex> leaves;
  if (count == 0) return std::vector<Publication>();
  RETURN_IF_ERROR(
      tables_->Scan(Table::kPublications, NumberKey(from), NumbersEnd(),
                    [&](absl::string_view, absl::string_view value) {
                      leaves.push_back(LeafIndex(ReadU64(AsBytes(value))));
                      return leaves.size() < count;
                    }));
  std::vector<Publication> publications;
  for (const LeafIndex index : leaves) {
    ASSIGN_OR_RETURN(Leaf leaf, Required(ReadLeaf(*tables_, index), "a leaf"));
    Publication publication{index, std::move(leaf.entry), {}};
    if (const auto* charter =
            std::get_if<CharterEntry>(&publication.entry.content)) {
      ASSIGN_OR_RETURN(publication.document,
                       Required(Document(charter->hash), "a charter"));
    }
    publications.push_back(std::move(publication));
  }
  return publications;
}

absl::StatusOr<std::string> TableStore::Document(const Digest& hash) const {
  return tables_->Get(Table::kDocuments, ToText(hash.bytes()));
}

absl::StatusOr<absl::Time> TableStore::TimeOf(LeafIndex leaf) const {
  ASSIGN_OR_RETURN(
      const std::string encoded,
      Required(tables_->Get(Table::kEntries, NumberKey(leaf.value())),
               "an entry"));
  ASSIGN_OR_RETURN(const LogEntry entry, DecodeLogEntry(AsBytes(encoded)));
  return entry.time;
}

absl::StatusOr<LeafIndex> TableStore::FirstLeafAt(absl::Time time) const {
  // Times never fall from leaf to leaf.
  uint64_t low = 0, high = Head().range.size().value();
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    ASSIGN_OR_RETURN(const absl::Time at, TimeOf(LeafIndex(middle)));
    if (at < time)
      low = middle + 1;
    else
      high = middle;
  }
  return LeafIndex(low);
}

absl::StatusOr<EnvelopeRecord> TableStore::FindEnvelope(LeafIndex leaf) const {
  ASSIGN_OR_RETURN(const std::string value,
                   tables_->Get(Table::kRecords, NumberKey(leaf.value())));
  ASSIGN_OR_RETURN(RecordRow row, DecodeRecord(value));
  return std::move(row.record);
}

absl::StatusOr<EnvelopeRecord> TableStore::FindEnvelope(
    const MemberId& sender, const EnvelopeId& id) const {
  ASSIGN_OR_RETURN(
      const std::string value,
      tables_->Get(Table::kRequests, EnvelopeRequestKey(sender, id)));
  ASSIGN_OR_RETURN(const RequestRow request, DecodeRequest(value));
  return FindEnvelope(request.leaf);
}

absl::StatusOr<std::vector<TableStore::IndexedItem>> TableStore::ListItems(
    const MemberId& member, uint64_t from, uint32_t count) const {
  std::vector<IndexedItem> items;
  absl::Status damage;
  RETURN_IF_ERROR(
      tables_->Scan(Table::kMailbox, MailboxKey(member, LeafIndex(from)),
                    MailboxEnd(member.text()),
                    [&](absl::string_view key, absl::string_view value) {
                      const auto parts = DecodeMailboxKey(key);
                      const auto row = DecodeMailbox(value);
                      damage = parts.ok() ? row.status() : parts.status();
                      if (!damage.ok()) return false;
                      items.push_back({parts->leaf, *row});
                      return items.size() < count;
                    }));
  RETURN_IF_ERROR(damage);
  return items;
}

absl::StatusOr<std::optional<MailboxItem>> TableStore::ReadItem(
    const IndexedItem& indexed) const {
  auto opening = GetOpening(indexed.leaf);
  if (absl::IsNotFound(opening.status())) return std::nullopt;
  RETURN_IF_ERROR(opening.status());
  ASSIGN_OR_RETURN(AuditEvent event, DecodeAuditEvent(opening->event));
  ASSIGN_OR_RETURN(Leaf leaf,
                   Required(ReadEntry(*tables_, indexed.leaf), "a leaf"));
  leaf.salt = std::move(opening->salt);
  MailboxItem item{std::move(leaf), std::move(event), {}, {}, {}};
  if (indexed.row.kind == ItemKind::kEnvelope) {
    auto value =
        tables_->Get(Table::kEnvelopes, NumberKey(indexed.leaf.value()));
    if (absl::IsNotFound(value.status())) return std::nullopt;
    RETURN_IF_ERROR(value.status());
    ASSIGN_OR_RETURN(SealedBody body,
                     DecodeEnvelopeRow(std::move(value).value()));
    item.enc = std::move(body.enc);
    item.ciphertext = std::move(body.ciphertext);
  }
  if (indexed.row.kind == ItemKind::kRecall) {
    const auto subject = GetOpening(indexed.row.subject);
    if (absl::IsNotFound(subject.status())) return std::nullopt;
    RETURN_IF_ERROR(subject.status());
    ASSIGN_OR_RETURN(AuditEvent recalled, DecodeAuditEvent(subject->event));
    if (!std::holds_alternative<EnvelopeEvent>(recalled))
      return Missing("the envelope that was recalled");
    item.recalled = std::move(std::get<EnvelopeEvent>(recalled));
  }
  return std::optional<MailboxItem>(std::move(item));
}

absl::StatusOr<std::vector<MailboxItem>> TableStore::Mailbox(
    const MemberId& member, std::optional<LeafIndex> after, uint32_t count,
    size_t bytes_max) const {
  std::vector<MailboxItem> items;
  size_t bytes = 0;
  uint64_t from = after ? after->value() + 1 : 0;
  // What was listed may be gone when it is read: then there may be more.
  while (items.empty() && count > 0) {
    ASSIGN_OR_RETURN(const std::vector<IndexedItem> listed,
                     ListItems(member, from, count));
    if (listed.empty()) break;
    for (const IndexedItem& indexed : listed) {
      ASSIGN_OR_RETURN(std::optional<MailboxItem> item, ReadItem(indexed));
      if (!item) continue;
      bytes += item->ciphertext.size();
      items.push_back(*std::move(item));
      if (bytes > bytes_max) return items;
    }
    from = listed.back().leaf.value() + 1;
  }
  return items;
}

absl::StatusOr<uint64_t> TableStore::PendingCount(
    const MemberId& member) const {
  const auto value = tables_->Get(Table::kState, PendingKey(member));
  if (absl::IsNotFound(value.status())) return 0;
  RETURN_IF_ERROR(value.status());
  return DecodeNumber(*value);
}

absl::StatusOr<std::vector<EnvelopeRecord>> TableStore::Expired(
    absl::Time now, uint32_t count) const {
  std::vector<LeafIndex> leaves;
  if (count > 0) {
    RETURN_IF_ERROR(tables_->Scan(
        Table::kExpiries, "",
        ExpiryKey(now, LeafIndex(std::numeric_limits<uint64_t>::max())),
        [&](absl::string_view key, absl::string_view) {
          leaves.push_back(LeafIndex(ReadU64(AsBytes(key.substr(8)))));
          return leaves.size() < count;
        }));
  }
  std::vector<EnvelopeRecord> records;
  for (const LeafIndex leaf : leaves) {
    absl::StatusOr<EnvelopeRecord> record = FindEnvelope(leaf);
    if (absl::IsNotFound(record.status())) continue;  // settled meanwhile
    RETURN_IF_ERROR(record.status());
    if (record->state == EnvelopeState::kPending)
      records.push_back(std::move(record).value());
  }
  return records;
}

}  // namespace amparo::broker
