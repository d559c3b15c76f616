#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "broker/store/operation.h"
#include "broker/store/record.h"
#include "broker/store/rows.h"
#include "broker/store/tables.h"
#include "proto/envelope/erasure.h"

namespace amparo::broker {

// What a batch of operations does to the tables: each is decided against what
// is stored and what those before it changed. The one place where leaf, time
// and salt are chosen. One thread at a time; operations must outlive it.
class Plan {
 public:
  Plan(const Tables& tables, const LogHead& head, absl::Time now);

  // The answer once the changes are applied. Errors: the tables could not be
  // read; then the plan is to be dropped.
  absl::StatusOr<OpResult> Run(const Op& op);
  // Store::AppendLogged, for one entry. INVALID_ARGUMENT as there.
  absl::Status Restore(const LoggedEntry& logged);

  // Store::AddOpenings, for one. INVALID_ARGUMENT as there.
  absl::Status AddOpening(const Opening& opening);
  // What the erasure that `opening` opens, if it is one, says of openings that
  // were not there yet when it was restored.
  absl::Status EraseAgain(const Opening& opening);
  // Likewise what ended the stay of one of `pending` (envelopes by digest), if
  // `opening` is that: it was restored before its envelope was known.
  absl::Status SettleAgain(const Opening& opening,
                           const std::map<Digest, LeafIndex>& pending);

  // Nothing when every operation was refused or a replay. Call once, last.
  Changes TakeChanges();
  // After those two alone, which log nothing.
  Changes TakeUnlogged() { return std::move(changes_); }
  const LogHead& head() const { return head_; }

 private:
  using Answer = absl::StatusOr<OpResult>;
  using Earlier = absl::StatusOr<std::optional<OpResult>>;
  static OpResult Refused(Outcome outcome);

  // The answer of an operation that needs no leaf: it is known already, or
  // cannot be.
  Earlier FindEarlier(const Op& op, const Submit& submit);
  Earlier FindEarlier(const Op& op, const Settle& settle);
  Earlier FindEarlier(const Op& op, const Date& date);
  Earlier FindEarlier(const Op& op, const Erase& erase);
  Earlier FindEarlier(const Op& op, const Publish& publish);
  Earlier FindRequest(const std::string& key, const Digest& digest);
  Answer Replay(LeafIndex leaf);

  Answer Apply(const Op& op, const Submit& submit);
  Answer Apply(const Op& op, const Settle& settle);
  Answer Apply(const Op& op, const Date& date);
  Answer Apply(const Op& op, const Erase& erase);
  Answer Apply(const Op& op, const Publish& publish);
  absl::Status EraseOpening(const Erase& erase, const Erase::Target& target);
  absl::StatusOr<bool> MayErase(const Erase& erase,
                                const Erase::Target& target);

  absl::Status Leave(const EnvelopeRecord& record);
  // The event at `leaf` ends the stay of the envelope of `row`, as `state`.
  // Whose mailbox got an item.
  absl::StatusOr<std::vector<MemberId>> EndStay(RecordRow row,
                                                EnvelopeState state,
                                                const Bytes& event,
                                                LeafIndex leaf);
  void PutPublication(LeafIndex leaf, const std::string& slot,
                      const Digest& digest);

  // What the event at `leaf` did when it was logged, and whom it concerns.
  // INVALID_ARGUMENT: it cannot be read.
  using Parties = absl::StatusOr<std::vector<MemberId>>;
  Parties Redo(LeafIndex leaf, const Bytes& event, const EnvelopeEvent& said);
  Parties Redo(LeafIndex leaf, const Bytes& event, const AnchorEvent& said);
  Parties Redo(LeafIndex leaf, const Bytes& event, const ReceiptEvent& said);
  Parties Redo(LeafIndex leaf, const Bytes& event, const RecallEvent& said);
  Parties Redo(LeafIndex leaf, const Bytes& event, const ExpiryEvent& said);
  Parties Redo(LeafIndex leaf, const Bytes& event, const ErasureEvent& said);
  Parties Redo(LeafIndex leaf, const Bytes& event, const AccessLogEvent& said);
  // Nothing where the envelope is not known, or its course has ended.
  absl::Status RedoSettle(LeafIndex envelope, const Digest& digest,
                          EnvelopeEventKind kind, const Bytes& event,
                          LeafIndex leaf);
  absl::Status RedoErasure(const Erasure& erasure);
  absl::Status RestorePublication(LeafIndex leaf, const LogEntry& entry,
                                  const std::string& document);
  // Of those that end by `until`.
  absl::StatusOr<std::optional<RecordRow>> FindExpired(const Digest& digest,
                                                       absl::Time until) const;
  absl::Status AddLate(const Opening& opening, const EnvelopeEvent& said);
  absl::Status SettleLate(const Opening& opening, const Digest& digest,
                          EnvelopeEventKind kind);

  // Appends an entry that commits to `event`, and its opening.
  Leaf Commit(const Bytes& event, std::vector<MemberId> parties);
  Leaf AppendLeaf(LogEntry entry, Bytes salt);
  // With the time that it has.
  Leaf AppendDated(LogEntry entry, Bytes salt);
  void PutItem(const MemberId& member, LeafIndex leaf, const MailboxRow& row);

  // Stored, with the changes so far; nullopt when absent.
  absl::StatusOr<std::optional<std::string>> Get(Table table,
                                                 const std::string& key) const;
  absl::StatusOr<std::optional<RecordRow>> GetRecord(LeafIndex leaf) const;
  // How many envelopes wait for `recipient`, and those of `sender` among them.
  // Both live as long as this.
  struct Waiting {
    uint64_t* all = nullptr;
    uint64_t* of_sender = nullptr;
  };
  absl::StatusOr<Waiting> Pending(const MemberId& recipient,
                                  const MemberId& sender);
  absl::StatusOr<uint64_t*> Pending(std::string key);
  void Put(Table table, const std::string& key, Bytes value);
  void Delete(Table table, const std::string& key);

  const Tables& tables_;
  const absl::Time now_;
  LogHead head_;
  const uint64_t first_;     // index of the first new leaf
  std::vector<Leaf> fresh_;  // new leaves
  Changes changes_;
  // Of tables whose rows a later operation of the batch may read.
  absl::flat_hash_map<std::string, std::optional<std::string>> seen_;
  std::map<std::string, uint64_t> pending_;  // by PendingKey
  std::map<Digest, LeafIndex> restored_;     // envelopes, by Restore
};

// State rows.
std::string PendingKey(const MemberId& recipient);
std::string PendingKey(const MemberId& recipient, const MemberId& sender);
// Each party once, in order.
std::vector<MemberId> Distinct(std::vector<MemberId> parties);
inline constexpr char kHeadKey[] = "head";

// The leaf as it is stored, with the salt of its opening. NOT_FOUND when the
// opening of a commitment was erased.
absl::StatusOr<Leaf> ReadLeaf(const Tables& tables, LeafIndex index);
// The same, its entry alone: the salt is empty.
absl::StatusOr<Leaf> ReadEntry(const Tables& tables, LeafIndex index);

}  // namespace amparo::broker
