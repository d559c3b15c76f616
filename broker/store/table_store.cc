#include "broker/store/table_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/status.h"
#include "broker/store/plan.h"

// Opening, the commit, and the little state of checkpoints and enrolment.
// Reads: table_reads.cc; retention: table_sweeps.cc.

namespace amparo::broker {
namespace {

constexpr char kLayoutKey[] = "layout";
constexpr char kLayout[] = "1";
constexpr char kFoundingKey[] = "founding";
constexpr char kWitnessedKey[] = "witnessed";

std::string WitnessedCharterKey(uint64_t version) {
  return absl::StrCat("witnessed-charter/", NumberKey(version));
}


std::string InvitationKey(const Digest& token_hash) {
  return absl::StrCat("invitation/", AsText(token_hash.bytes()));
}
std::string JoinRequestKey(const MemberId& member) {
  return absl::StrCat("join-request/", member.text());
}

absl::Status Closed() {
  return MakeError(absl::StatusCode::kUnavailable,
                   "a write to the store failed; it is closed until restart",
                   {.code = "storage", .retryable = true});
}

}  // namespace

const char* NameOf(Table table) {
  switch (table) {
    case Table::kState:
      return "state";
    case Table::kEntries:
      return "entries";
    case Table::kHashes:
      return "hashes";
    case Table::kOpenings:
      return "openings";
    case Table::kRequests:
      return "requests";
    case Table::kRecords:
      return "records";
    case Table::kMailbox:
      return "mailbox";
    case Table::kExpiries:
      return "expiries";
    case Table::kEnvelopes:
      return "envelopes";
    case Table::kErasures:
      return "erasures";
    case Table::kDocuments:
      return "documents";
    case Table::kPublications:
      return "publications";
    case Table::kCheckpoints:
      return "checkpoints";
  }
  return "";
}

TableStore::TableStore(std::unique_ptr<Tables> tables, LogHead head)
    : tables_(std::move(tables)), head_(std::move(head)) {}

absl::StatusOr<std::unique_ptr<Store>> TableStore::Open(
    std::unique_ptr<Tables> tables) {
  LogHead head;
  head.time = absl::UnixEpoch();
  const auto layout = tables->Get(Table::kState, kLayoutKey);
  if (absl::IsNotFound(layout.status())) {
    Changes changes;
    changes.Put(Table::kState, kLayoutKey, ToBytes(kLayout));
    changes.Put(Table::kState, kHeadKey, EncodeHead(head));
    RETURN_IF_ERROR(tables->Apply(changes));
  } else {
    RETURN_IF_ERROR(layout.status());
    if (*layout != kLayout)
      return absl::FailedPreconditionError(
          "the store was written by another version of the broker");
    ASSIGN_OR_RETURN(const std::string value,
                     tables->Get(Table::kState, kHeadKey));
    ASSIGN_OR_RETURN(head, DecodeHead(value));
  }
  return std::unique_ptr<Store>(
      new TableStore(std::move(tables), std::move(head)));
}

absl::Status TableStore::Write(const Changes& changes) {
  if (closed_) return Closed();
  const absl::Status status = tables_->Apply(changes);
  if (status.ok() || absl::IsResourceExhausted(status)) return status;
  closed_ = true;
  return Closed();
}

absl::StatusOr<std::vector<OpResult>> TableStore::Commit(
    std::span<const Op> ops, absl::Time now) {
  MutexLock lock(write_mutex_);
  if (closed_) return Closed();
  Plan plan(*tables_, Head(), now);
  std::vector<OpResult> results;
  results.reserve(ops.size());
  for (const Op& op : ops) {
    absl::StatusOr<OpResult> result = plan.Run(op);
    // What cannot be read cannot be trusted with a write.
    if (!result.ok()) {
      closed_ = true;
      return Closed();
    }
    results.push_back(std::move(result).value());
  }
  const Changes changes = plan.TakeChanges();
  if (changes.empty()) return results;
  RETURN_IF_ERROR(Write(changes));
  MutexLock head_lock(head_mutex_);
  head_ = plan.head();
  return results;
}

absl::StatusOr<OpResult> TableStore::FindEarlier(const Op& op) const {
  Op question = op;
  question.replay_only = true;
  return Plan(*tables_, Head(), absl::UnixEpoch()).Run(question);
}

absl::Status TableStore::CopyTo(const std::string& path) {
  return tables_->CopyTo(path);
}

LogHead TableStore::Head() const {
  MutexLock lock(head_mutex_);
  return head_;
}

absl::StatusOr<std::string> TableStore::PutCheckpoint(TreeSize size,
                                                      const std::string& note) {
  MutexLock lock(write_mutex_);
  const std::string key = NumberKey(size.value());
  absl::StatusOr<std::string> first = tables_->Get(Table::kCheckpoints, key);
  if (!absl::IsNotFound(first.status())) return first;
  Changes changes;
  changes.Put(Table::kCheckpoints, key, ToBytes(note));
  RETURN_IF_ERROR(Write(changes));
  return note;
}

absl::StatusOr<std::string> TableStore::NewestCheckpoint() const {
  ASSIGN_OR_RETURN(auto last, tables_->Last(Table::kCheckpoints));
  return std::move(last.second);
}

absl::Status TableStore::PutWitnessed(TreeSize size, const std::string& note,
                                      std::span<const uint64_t> versions) {
  MutexLock lock(write_mutex_);
  Changes changes;
  const auto newest = tables_->Get(Table::kState, kWitnessedKey);
  if (!newest.ok() && !absl::IsNotFound(newest.status()))
    return newest.status();
  // size u64 | note
  if (!newest.ok() || ReadU64(AsBytes(*newest)) <= size.value())
    changes.Put(Table::kState, kWitnessedKey,
                ToBytes(NumberKey(size.value()) + note));
  for (const uint64_t version : versions) {
    const std::string key = WitnessedCharterKey(version);
    const auto first = tables_->Get(Table::kState, key);
    if (absl::IsNotFound(first.status()))
      changes.Put(Table::kState, key, ToBytes(note));
    else
      RETURN_IF_ERROR(first.status());
  }
  return changes.empty() ? absl::OkStatus() : Write(changes);
}

absl::StatusOr<std::string> TableStore::NewestWitnessed() const {
  ASSIGN_OR_RETURN(const std::string row,
                   tables_->Get(Table::kState, kWitnessedKey));
  return row.substr(sizeof(uint64_t));
}

absl::StatusOr<std::string> TableStore::WitnessedCharter(
    uint64_t version) const {
  return tables_->Get(Table::kState, WitnessedCharterKey(version));
}

absl::Status TableStore::PutFoundingToken(const Digest& token_hash) {
  MutexLock lock(write_mutex_);
  Changes changes;
  changes.Put(Table::kState, kFoundingKey, ToBytes(token_hash.bytes()));
  return Write(changes);
}

absl::StatusOr<Digest> TableStore::FoundingToken() const {
  ASSIGN_OR_RETURN(const std::string value,
                   tables_->Get(Table::kState, kFoundingKey));
  return Digest::FromBytes(AsBytes(value));
}

absl::Status TableStore::PutInvitation(const InvitationRecord& invitation) {
  MutexLock lock(write_mutex_);
  Changes changes;
  changes.Put(Table::kState, InvitationKey(invitation.token_hash),
              EncodeInvitation(invitation));
  return Write(changes);
}

absl::StatusOr<InvitationRecord> TableStore::FindInvitation(
    const Digest& token_hash) const {
  ASSIGN_OR_RETURN(const std::string value,
                   tables_->Get(Table::kState, InvitationKey(token_hash)));
  return DecodeInvitation(value);
}

absl::Status TableStore::UseInvitation(const Digest& token_hash,
                                       const Digest& request,
                                       const std::string& join_request) {
  MutexLock lock(write_mutex_);
  ASSIGN_OR_RETURN(InvitationRecord invitation, FindInvitation(token_hash));
  if (invitation.used_for.has_value())
    return *invitation.used_for == request
               ? absl::OkStatus()
               : absl::FailedPreconditionError("the invitation was used");
  invitation.used_for = request;
  Changes changes;
  changes.Put(Table::kState, InvitationKey(token_hash),
              EncodeInvitation(invitation));
  changes.Put(Table::kState, JoinRequestKey(invitation.member),
              ToBytes(join_request));
  return Write(changes);
}

absl::StatusOr<std::string> TableStore::JoinRequestOf(
    const MemberId& member) const {
  return tables_->Get(Table::kState, JoinRequestKey(member));
}

}  // namespace amparo::broker
