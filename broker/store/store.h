#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "broker/store/operation.h"
#include "broker/store/record.h"

namespace amparo::broker {

// What the broker keeps: the log, the mailboxes and a little state. Engines
// pass one contract test. Thread-safe; reads never wait for a write's sync.
class Store {
 public:
  virtual ~Store() = default;

  // Applies `ops` in order, all of it in one atomic, synced step, and answers
  // each. Chooses leaf index, salt and time, the greater of `now` and the last
  // leaf's. An operation that is refused changes nothing and fails no other.
  // RESOURCE_EXHAUSTED: the disk is full and nothing was written. Any other
  // error: the outcome is unknown, and the store refuses every write from then
  // on with UNAVAILABLE until it is opened again.
  virtual absl::StatusOr<std::vector<OpResult>> Commit(std::span<const Op> ops,
                                                       absl::Time now) = 0;

  // What Commit would answer `op` without a look at anything but what it did
  // before: kReplayed, kReused, kWrongState; kUnknown when it is new.
  virtual absl::StatusOr<OpResult> FindEarlier(const Op& op) const = 0;

  // --- The log.
  virtual LogHead Head() const = 0;
  // At most `count` entries from `start` on; fewer at the end.
  virtual absl::StatusOr<std::vector<Bytes>> Entries(LeafIndex start,
                                                     uint32_t count) const = 0;
  // Tree nodes at level 8 * `tile_level`, complete ones only; fewer at the end.
  virtual absl::StatusOr<std::vector<Digest>> Hashes(uint32_t tile_level,
                                                     uint64_t start,
                                                     uint32_t count) const = 0;
  // NOT_FOUND: published in the open, erased, or no such leaf.
  virtual absl::StatusOr<Opening> GetOpening(LeafIndex leaf) const = 0;
  // Openings in [start, end), at most `count`.
  virtual absl::StatusOr<std::vector<Opening>> Openings(
      LeafIndex start, LeafIndex end, uint32_t count) const = 0;
  // Charters, key events, suspensions: from the `from`th on, at most `count`.
  virtual absl::StatusOr<std::vector<Publication>> Publications(
      uint64_t from, uint32_t count) const = 0;
  // By SHA-256; NOT_FOUND.
  virtual absl::StatusOr<std::string> Document(const Digest& hash) const = 0;
  // First leaf whose time is `time` or later; the size if there is none.
  virtual absl::StatusOr<LeafIndex> FirstLeafAt(absl::Time time) const = 0;

  // --- Envelopes. NOT_FOUND when there is no such envelope.
  virtual absl::StatusOr<EnvelopeRecord> FindEnvelope(LeafIndex leaf) const = 0;
  virtual absl::StatusOr<EnvelopeRecord> FindEnvelope(
      const MemberId& sender, const EnvelopeId& id) const = 0;
  // Items of `member` after `after` (nullopt: all) in leaf order, until there
  // are `count` of them or they exceed `bytes_max`; one at least.
  virtual absl::StatusOr<std::vector<MailboxItem>> Mailbox(
      const MemberId& member, std::optional<LeafIndex> after, uint32_t count,
      size_t bytes_max) const = 0;
  // Envelopes pending for `member`.
  virtual absl::StatusOr<uint64_t> PendingCount(
      const MemberId& member) const = 0;
  // Pending envelopes whose time ran out at `now`, at most `count`.
  virtual absl::StatusOr<std::vector<EnvelopeRecord>> Expired(
      absl::Time now, uint32_t count) const = 0;

  // --- Checkpoints: signed notes by size.
  // Synced. The note of that size that came first, whoever wrote it.
  virtual absl::StatusOr<std::string> PutCheckpoint(
      TreeSize size, const std::string& note) = 0;
  // NOT_FOUND before the first.
  virtual absl::StatusOr<std::string> NewestCheckpoint() const = 0;

  // Synced. Keeps `note` as the newest checkpoint with a quorum of witnesses,
  // unless a larger one is kept; and as the one under which each charter of
  // `versions` came into force, unless there is one.
  virtual absl::Status PutWitnessed(TreeSize size, const std::string& note,
                                    std::span<const uint64_t> versions) = 0;
  // NOT_FOUND before the first.
  virtual absl::StatusOr<std::string> NewestWitnessed() const = 0;
  virtual absl::StatusOr<std::string> WitnessedCharter(
      uint64_t version) const = 0;  // NOT_FOUND

  // --- Enrolment; synced.
  virtual absl::Status PutFoundingToken(const Digest& token_hash) = 0;
  virtual absl::StatusOr<Digest> FoundingToken() const = 0;  // NOT_FOUND
  virtual absl::Status PutInvitation(const InvitationRecord& invitation) = 0;
  virtual absl::StatusOr<InvitationRecord> FindInvitation(
      const Digest& token_hash) const = 0;  // NOT_FOUND
  // Uses the invitation up for `request` and keeps `join_request` as the
  // member's newest, in one step. The same request again is OK;
  // FAILED_PRECONDITION for another, NOT_FOUND without invitation.
  virtual absl::Status UseInvitation(const Digest& token_hash,
                                     const Digest& request,
                                     const std::string& join_request) = 0;
  virtual absl::StatusOr<std::string> JoinRequestOf(
      const MemberId& member) const = 0;  // NOT_FOUND

  // --- Retention; synced. Each deletes at most `count` and says how many.
  // Mailbox items, but pending envelopes, of leaves before `end`.
  virtual absl::StatusOr<uint32_t> SweepNotices(LeafIndex end,
                                                uint32_t count) = 0;
  // Openings of leaves before `end`, and what else is known of their events.
  virtual absl::StatusOr<uint32_t> SweepOpenings(LeafIndex end,
                                                 uint32_t count) = 0;

  // --- Rebuilding a log that went on without this store (docs/PROTOCOL.md,
  // Rebuilding); synced.
  // Appends `entries` as they were logged, all or none, and what their openings
  // say of envelopes. What opens a commitment but cannot be read is not kept.
  // INVALID_ARGUMENT, and nothing is written: an entry that no log has, a time
  // that falls, a document or an opening that is another entry's.
  virtual absl::Status AppendLogged(std::span<const LoggedEntry> entries) = 0;
  // Keeps what opens entries that are logged and have no opening, and what they
  // say of envelopes, in the order of the log; no envelope gets its name back,
  // which may be that of a newer one. INVALID_ARGUMENT, and nothing is written:
  // one that does not fit its entry.
  virtual absl::Status AddOpenings(std::span<const Opening> openings) = 0;
  // The last step. What an erasure asked for is gone, whenever it was brought.
  // Envelopes that are pending keep their record, but their
  // ciphertext, place and name are gone: their sender may have taken them back
  // since. So are invitations that were not used. Says how many envelopes.
  // Rebuilt() covers these, and `lost_from` to the end, and what it did before.
  virtual absl::StatusOr<uint64_t> EndRebuilding(LeafIndex lost_from) = 0;
  virtual absl::StatusOr<RebuiltRange> Rebuilt() const = 0;  // NOT_FOUND

  // A whole, consistent copy in the new directory `path`, beside whatever goes
  // on; opens like the original. ALREADY_EXISTS; UNIMPLEMENTED in memory.
  virtual absl::Status CopyTo(const std::string& path) = 0;
};

}  // namespace amparo::broker
