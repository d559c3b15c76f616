#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "broker/store/plan.h"

// Erasure: who asked for which opening, and what goes with it.

namespace amparo::broker {

Plan::Answer Plan::Apply(const Op& op, const Erase& erase) {
  for (const Erase::Target& target : erase.targets) {
    ASSIGN_OR_RETURN(const std::optional<RecordRow> row,
                     GetRecord(target.leaf));
    // Its recipient still has to open it.
    if (row && row->record.state == EnvelopeState::kPending)
      return Refused(Outcome::kWrongState);
  }
  Leaf leaf = Commit(op.event, {erase.member});
  Put(Table::kRequests, EventRequestKey(erase.member, op.event),
      EncodeRequest({leaf.index, Sha256(op.event)}));
  for (const Erase::Target& target : erase.targets)
    RETURN_IF_ERROR(EraseOpening(erase, target));
  return OpResult{Outcome::kApplied, std::move(leaf), {}};
}

absl::StatusOr<bool> Plan::MayErase(const Erase& erase,
                                    const Erase::Target& target) {
  const std::string own_key = ErasureKey(target.leaf, erase.member);
  ASSIGN_OR_RETURN(const std::optional<std::string> own,
                   Get(Table::kErasures, own_key));
  if (own && erase.alone_if_asked_by) {
    ASSIGN_OR_RETURN(const uint64_t asked_s, DecodeNumber(*own));
    if (TimeFromUnix(static_cast<int64_t>(asked_s)) <= *erase.alone_if_asked_by)
      return true;
  }
  if (!own) {
    Bytes asked;
    AppendU64(asked, static_cast<uint64_t>(UnixSeconds(head_.time)));
    Put(Table::kErasures, own_key, std::move(asked));
  }
  for (const MemberId& party : target.parties) {
    ASSIGN_OR_RETURN(const std::optional<std::string> asked,
                     Get(Table::kErasures, ErasureKey(target.leaf, party)));
    if (!asked) return false;
  }
  return true;
}

absl::Status Plan::EraseOpening(const Erase& erase,
                                const Erase::Target& target) {
  const std::string key = NumberKey(target.leaf.value());
  ASSIGN_OR_RETURN(const std::optional<std::string> opening,
                   Get(Table::kOpenings, key));
  if (!opening) return absl::OkStatus();  // gone already
  ASSIGN_OR_RETURN(const bool may_erase, MayErase(erase, target));
  if (!may_erase) return absl::OkStatus();
  Delete(Table::kOpenings, key);
  for (const MemberId& party : target.parties)
    Delete(Table::kErasures, ErasureKey(target.leaf, party));
  ASSIGN_OR_RETURN(const std::optional<RecordRow> row, GetRecord(target.leaf));
  if (!row) return absl::OkStatus();
  Delete(Table::kRecords, key);
  Delete(Table::kExpiries, ExpiryKey(row->record.expires, row->record.leaf));
  Delete(Table::kRequests,
         EnvelopeRequestKey(row->record.sender, row->record.envelope_id));
  return absl::OkStatus();
}

}  // namespace amparo::broker
