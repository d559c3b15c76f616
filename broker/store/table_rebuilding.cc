#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "broker/store/plan.h"
#include "broker/store/table_store.h"

// Rebuilding: what a lost store held behind this one.

namespace amparo::broker {
namespace {

constexpr char kRebuiltKey[] = "rebuilt";  // from u64 | to u64
constexpr char kInvitationPrefix[] = "invitation/";

}  // namespace

absl::Status TableStore::AppendLogged(std::span<const LoggedEntry> entries) {
  MutexLock lock(write_mutex_);
  const LogHead before = Head();
  Plan plan(*tables_, before, before.time);
  for (const LoggedEntry& entry : entries) RETURN_IF_ERROR(plan.Restore(entry));
  const Changes changes = plan.TakeChanges();
  if (changes.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(Write(changes));
  MutexLock head_lock(head_mutex_);
  head_ = plan.head();
  return absl::OkStatus();
}

absl::Status TableStore::AddOpenings(std::span<const Opening> openings) {
  MutexLock lock(write_mutex_);
  const LogHead head = Head();
  Plan plan(*tables_, head, head.time);
  for (const Opening& opening : openings)
    RETURN_IF_ERROR(plan.AddOpening(opening));
  const Changes changes = plan.TakeUnlogged();
  return changes.empty() ? absl::OkStatus() : Write(changes);
}

absl::Status TableStore::ForEachOpening(
    const std::function<absl::Status(Plan&, const Opening&)>& visit) {
  constexpr uint32_t kPage = 4096;
  const LogHead head = Head();
  Plan plan(*tables_, head, head.time);
  const LeafIndex end(head.range.size().value());
  for (LeafIndex next(0);;) {
    ASSIGN_OR_RETURN(const std::vector<Opening> page,
                     Openings(next, end, kPage));
    for (const Opening& opening : page) RETURN_IF_ERROR(visit(plan, opening));
    if (page.size() < kPage) break;
    next = LeafIndex(page.back().leaf.value() + 1);
  }
  const Changes changes = plan.TakeUnlogged();
  return changes.empty() ? absl::OkStatus() : Write(changes);
}

// An envelope may come with a later mirror than its receipt: nothing else would
// end its stay, and it would expire for the log once more.
absl::Status TableStore::SettleAgain() {
  ASSIGN_OR_RETURN(const std::vector<EnvelopeRecord> records, PendingRecords());
  if (records.empty()) return absl::OkStatus();
  std::map<Digest, LeafIndex> pending;
  for (const EnvelopeRecord& record : records)
    pending.emplace(record.digest, record.leaf);
  return ForEachOpening([&](Plan& plan, const Opening& opening) {
    return plan.SettleAgain(opening, pending);
  });
}

absl::Status TableStore::EraseAgain() {
  return ForEachOpening([](Plan& plan, const Opening& opening) {
    return plan.EraseAgain(opening);
  });
}

// Whatever is pending has a row here.
absl::StatusOr<std::vector<EnvelopeRecord>> TableStore::PendingRecords() const {
  std::vector<LeafIndex> leaves;
  RETURN_IF_ERROR(tables_->Scan(
      Table::kExpiries, "", std::string(17, '\xff'),
      [&](absl::string_view key, absl::string_view) {
        leaves.push_back(LeafIndex(ReadU64(AsBytes(key.substr(8)))));
        return true;
      }));
  std::vector<EnvelopeRecord> pending;
  for (const LeafIndex leaf : leaves) {
    ASSIGN_OR_RETURN(EnvelopeRecord record, FindEnvelope(leaf));
    if (record.state == EnvelopeState::kPending)
      pending.push_back(std::move(record));
  }
  return pending;
}

// It may be that of the same bytes, sent again since.
absl::StatusOr<bool> TableStore::HasName(const EnvelopeRecord& record) const {
  const auto name = tables_->Get(
      Table::kRequests, EnvelopeRequestKey(record.sender, record.envelope_id));
  if (absl::IsNotFound(name.status())) return false;
  RETURN_IF_ERROR(name.status());
  ASSIGN_OR_RETURN(const RequestRow request, DecodeRequest(*name));
  return request.leaf == record.leaf;
}

absl::Status TableStore::ForgetInvitations(Changes& changes) const {
  absl::Status damage;
  RETURN_IF_ERROR(
      tables_->Scan(Table::kState, kInvitationPrefix, "invitation0",
                    [&](absl::string_view key, absl::string_view value) {
                      const auto invitation = DecodeInvitation(value);
                      damage = invitation.status();
                      if (damage.ok() && !invitation->used_for)
                        changes.Delete(Table::kState, std::string(key));
                      return damage.ok();
                    }));
  return damage;
}

absl::StatusOr<uint64_t> TableStore::EndRebuilding(LeafIndex lost_from) {
  MutexLock lock(write_mutex_);
  RETURN_IF_ERROR(SettleAgain());
  RETURN_IF_ERROR(EraseAgain());
  Changes changes;
  ASSIGN_OR_RETURN(const std::vector<EnvelopeRecord> pending, PendingRecords());
  LeafIndex from = lost_from;
  for (const EnvelopeRecord& record : pending) {
    from = std::min(from, record.leaf);
    changes.Delete(Table::kEnvelopes, NumberKey(record.leaf.value()));
    changes.Delete(Table::kMailbox, MailboxKey(record.recipient, record.leaf));
    ASSIGN_OR_RETURN(const bool has_name, HasName(record));
    if (has_name)
      changes.Delete(Table::kRequests,
                     EnvelopeRequestKey(record.sender, record.envelope_id));
    // Nothing waits any more: what is sent again needs the room.
    changes.Delete(Table::kState, PendingKey(record.recipient));
    changes.Delete(Table::kState, PendingKey(record.recipient, record.sender));
  }
  RETURN_IF_ERROR(ForgetInvitations(changes));
  const auto earlier = Rebuilt();
  if (!earlier.ok() && !absl::IsNotFound(earlier.status()))
    return earlier.status();
  if (earlier.ok()) from = std::min(from, earlier->from);
  Bytes row;
  AppendU64(row, from.value());
  AppendU64(row, Head().range.size().value());
  changes.Put(Table::kState, kRebuiltKey, std::move(row));
  RETURN_IF_ERROR(Write(changes));
  return pending.size();
}

absl::StatusOr<RebuiltRange> TableStore::Rebuilt() const {
  ASSIGN_OR_RETURN(const std::string row,
                   tables_->Get(Table::kState, kRebuiltKey));
  const ByteView bytes = AsBytes(row);
  if (bytes.size() != 16)
    return absl::DataLossError("the store lacks a whole row");
  return RebuiltRange{LeafIndex(ReadU64(bytes)),
                      TreeSize(ReadU64(bytes.subspan(8)))};
}

}  // namespace amparo::broker
