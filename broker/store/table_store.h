#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "broker/store/rows.h"
#include "broker/store/store.h"
#include "broker/store/tables.h"

namespace amparo::broker {

class Plan;

// A Store on ordered maps: all that the memory and RocksDB engines share.
// Thread-safe.
class TableStore final : public Store {
 public:
  // FAILED_PRECONDITION for tables of another layout, DATA_LOSS for damaged
  // ones. Tables that hold nothing become an empty log.
  static absl::StatusOr<std::unique_ptr<Store>> Open(
      std::unique_ptr<Tables> tables);

  absl::StatusOr<std::vector<OpResult>> Commit(std::span<const Op> ops,
                                               absl::Time now) override;

  absl::StatusOr<OpResult> FindEarlier(const Op& op) const override;

  LogHead Head() const override;
  absl::StatusOr<std::vector<Bytes>> Entries(LeafIndex start,
                                             uint32_t count) const override;
  absl::StatusOr<std::vector<Digest>> Hashes(uint32_t tile_level,
                                             uint64_t start,
                                             uint32_t count) const override;
  absl::StatusOr<Opening> GetOpening(LeafIndex leaf) const override;
  absl::StatusOr<std::vector<Opening>> Openings(LeafIndex start, LeafIndex end,
                                                uint32_t count) const override;
  absl::StatusOr<std::vector<Publication>> Publications(
      uint64_t from, uint32_t count) const override;
  absl::StatusOr<std::string> Document(const Digest& hash) const override;
  absl::StatusOr<LeafIndex> FirstLeafAt(absl::Time time) const override;

  absl::StatusOr<EnvelopeRecord> FindEnvelope(LeafIndex leaf) const override;
  absl::StatusOr<EnvelopeRecord> FindEnvelope(
      const MemberId& sender, const EnvelopeId& id) const override;
  absl::StatusOr<std::vector<MailboxItem>> Mailbox(
      const MemberId& member, std::optional<LeafIndex> after, uint32_t count,
      size_t bytes_max) const override;
  absl::StatusOr<uint64_t> PendingCount(const MemberId& member) const override;
  absl::StatusOr<std::vector<EnvelopeRecord>> Expired(
      absl::Time now, uint32_t count) const override;

  absl::StatusOr<std::string> PutCheckpoint(TreeSize size,
                                            const std::string& note) override;
  absl::StatusOr<std::string> NewestCheckpoint() const override;

  absl::Status PutWitnessed(TreeSize size, const std::string& note,
                            std::span<const uint64_t> versions) override;
  absl::StatusOr<std::string> NewestWitnessed() const override;
  absl::StatusOr<std::string> WitnessedCharter(uint64_t version) const override;

  absl::Status PutFoundingToken(const Digest& token_hash) override;
  absl::StatusOr<Digest> FoundingToken() const override;
  absl::Status PutInvitation(const InvitationRecord& invitation) override;
  absl::StatusOr<InvitationRecord> FindInvitation(
      const Digest& token_hash) const override;
  absl::Status UseInvitation(const Digest& token_hash, const Digest& request,
                             const std::string& join_request) override;
  absl::StatusOr<std::string> JoinRequestOf(
      const MemberId& member) const override;

  absl::StatusOr<uint32_t> SweepNotices(LeafIndex end, uint32_t count) override;
  absl::StatusOr<uint32_t> SweepOpenings(LeafIndex end,
                                         uint32_t count) override;
  absl::Status AppendLogged(std::span<const LoggedEntry> entries) override;
  absl::Status AddOpenings(std::span<const Opening> openings) override;
  absl::StatusOr<uint64_t> EndRebuilding(LeafIndex lost_from) override;
  absl::StatusOr<RebuiltRange> Rebuilt() const override;
  absl::Status CopyTo(const std::string& path) override;

 private:
  struct IndexedItem {
    LeafIndex leaf;
    MailboxRow row;
  };

  TableStore(std::unique_ptr<Tables> tables, LogHead head);

  // Applies, and closes the store when it cannot say whether it did.
  absl::Status Write(const Changes& changes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  absl::StatusOr<std::vector<IndexedItem>> ListItems(const MemberId& member,
                                                     uint64_t from,
                                                     uint32_t count) const;
  // nullopt: settled or erased since it was listed.
  absl::StatusOr<std::optional<MailboxItem>> ReadItem(
      const IndexedItem& item) const;
  absl::StatusOr<absl::Time> TimeOf(LeafIndex leaf) const;
  absl::Status ForgetEvent(const Opening& opening, Changes& changes) const;
  absl::StatusOr<std::vector<EnvelopeRecord>> PendingRecords() const;
  absl::StatusOr<bool> HasName(const EnvelopeRecord& record) const;
  absl::Status ForgetInvitations(Changes& changes) const;
  absl::Status SettleAgain() ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  absl::Status EraseAgain() ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  // Writes what `visit` plans for each opening that is here.
  absl::Status ForEachOpening(
      const std::function<absl::Status(Plan& plan, const Opening&)>& visit)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);

  const std::unique_ptr<Tables> tables_;
  Mutex write_mutex_;  // held over the write itself: there is one writer
  bool closed_ ABSL_GUARDED_BY(write_mutex_) = false;
  mutable Mutex head_mutex_;
  LogHead head_ ABSL_GUARDED_BY(head_mutex_);
};

}  // namespace amparo::broker
