#include <utility>

#include "base/status.h"
#include "broker/store/table_store.h"
#include "proto/envelope/codec.h"

namespace amparo::broker {

absl::StatusOr<uint32_t> TableStore::SweepNotices(LeafIndex end,
                                                  uint32_t count) {
  Changes changes;
  std::string start;
  uint32_t found = 0;
  bool more = true;
  while (more && found < count) {
    // One mailbox after the other: the newer part of each is stepped over.
    more = false;
    absl::Status damage;
    RETURN_IF_ERROR(
        tables_->Scan(Table::kMailbox, start, "\xff",
                      [&](absl::string_view key, absl::string_view value) {
                        const auto parts = DecodeMailboxKey(key);
                        const auto row = DecodeMailbox(value);
                        damage = parts.ok() ? row.status() : parts.status();
                        if (!damage.ok()) return false;
                        if (parts->leaf >= end) {
                          start = MailboxEnd(parts->member);
                          more = true;
                          return false;
                        }
                        if (row->kind == ItemKind::kEnvelope) return true;
                        changes.Delete(Table::kMailbox, std::string(key));
                        return ++found < count;
                      }));
    RETURN_IF_ERROR(damage);
  }
  if (changes.empty()) return 0;
  MutexLock lock(write_mutex_);
  RETURN_IF_ERROR(Write(changes));
  return found;
}

absl::Status TableStore::ForgetEvent(const Opening& opening,
                                     Changes& changes) const {
  const std::string key = NumberKey(opening.leaf.value());
  ASSIGN_OR_RETURN(const AuditEvent event, DecodeAuditEvent(opening.event));
  if (const auto* envelope = std::get_if<EnvelopeEvent>(&event)) {
    ASSIGN_OR_RETURN(const Header header, DecodeHeader(envelope->header));
    const auto record = FindEnvelope(opening.leaf);
    if (record.ok() && record->state == EnvelopeState::kPending)
      return absl::OkStatus();  // expires first
    changes.Delete(Table::kRequests,
                   EnvelopeRequestKey(header.sender, header.envelope_id));
    changes.Delete(Table::kRecords, key);
  } else {
    for (const MemberId& party : opening.parties)
      changes.Delete(Table::kRequests, EventRequestKey(party, opening.event));
  }
  changes.Delete(Table::kOpenings, key);
  return absl::OkStatus();
}

absl::StatusOr<uint32_t> TableStore::SweepOpenings(LeafIndex end,
                                                   uint32_t count) {
  ASSIGN_OR_RETURN(const std::vector<Opening> openings,
                   Openings(LeafIndex(0), end, count));
  Changes changes;
  for (const Opening& opening : openings)
    RETURN_IF_ERROR(ForgetEvent(opening, changes));
  if (changes.empty()) return 0;
  MutexLock lock(write_mutex_);
  RETURN_IF_ERROR(Write(changes));
  return static_cast<uint32_t>(openings.size());
}

}  // namespace amparo::broker
