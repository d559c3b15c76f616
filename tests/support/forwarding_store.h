#pragma once

#include <utility>

#include "base/mutex.h"
#include "broker/store/store.h"

namespace amparo::broker {

// Passes every call on: a base for stores that fail or lie in one place.
class ForwardingStore : public Store {
 public:
  explicit ForwardingStore(Store& store) : store_(store) {}

  absl::StatusOr<std::vector<OpResult>> Commit(std::span<const Op> ops,
                                               absl::Time now) override {
    return store_.Commit(ops, now);
  }
  absl::StatusOr<OpResult> FindEarlier(const Op& op) const override {
    return store_.FindEarlier(op);
  }
  LogHead Head() const override { return store_.Head(); }
  absl::StatusOr<std::vector<Bytes>> Entries(LeafIndex start,
                                             uint32_t count) const override {
    return store_.Entries(start, count);
  }
  absl::StatusOr<std::vector<Digest>> Hashes(uint32_t tile_level,
                                             uint64_t start,
                                             uint32_t count) const override {
    return store_.Hashes(tile_level, start, count);
  }
  absl::StatusOr<Opening> GetOpening(LeafIndex leaf) const override {
    return store_.GetOpening(leaf);
  }
  absl::StatusOr<std::vector<Opening>> Openings(LeafIndex start, LeafIndex end,
                                                uint32_t count) const override {
    return store_.Openings(start, end, count);
  }
  absl::StatusOr<std::vector<Publication>> Publications(
      uint64_t from, uint32_t count) const override {
    return store_.Publications(from, count);
  }
  absl::StatusOr<std::string> Document(const Digest& hash) const override {
    return store_.Document(hash);
  }
  absl::StatusOr<LeafIndex> FirstLeafAt(absl::Time time) const override {
    return store_.FirstLeafAt(time);
  }
  absl::StatusOr<EnvelopeRecord> FindEnvelope(LeafIndex leaf) const override {
    return store_.FindEnvelope(leaf);
  }
  absl::StatusOr<EnvelopeRecord> FindEnvelope(
      const MemberId& sender, const EnvelopeId& id) const override {
    return store_.FindEnvelope(sender, id);
  }
  absl::StatusOr<std::vector<MailboxItem>> Mailbox(
      const MemberId& member, std::optional<LeafIndex> after, uint32_t count,
      size_t bytes_max) const override {
    return store_.Mailbox(member, after, count, bytes_max);
  }
  absl::StatusOr<uint64_t> PendingCount(const MemberId& member) const override {
    return store_.PendingCount(member);
  }
  absl::StatusOr<std::vector<EnvelopeRecord>> Expired(
      absl::Time now, uint32_t count) const override {
    return store_.Expired(now, count);
  }
  absl::StatusOr<std::string> PutCheckpoint(TreeSize size,
                                            const std::string& note) override {
    return store_.PutCheckpoint(size, note);
  }
  absl::Status PutWitnessed(TreeSize size, const std::string& note,
                            std::span<const uint64_t> versions) override {
    return store_.PutWitnessed(size, note, versions);
  }
  absl::StatusOr<std::string> NewestWitnessed() const override {
    return store_.NewestWitnessed();
  }
  absl::StatusOr<std::string> WitnessedCharter(
      uint64_t version) const override {
    return store_.WitnessedCharter(version);
  }
  absl::StatusOr<std::string> NewestCheckpoint() const override {
    return store_.NewestCheckpoint();
  }
  absl::Status PutFoundingToken(const Digest& token_hash) override {
    return store_.PutFoundingToken(token_hash);
  }
  absl::StatusOr<Digest> FoundingToken() const override {
    return store_.FoundingToken();
  }
  absl::Status PutInvitation(const InvitationRecord& invitation) override {
    return store_.PutInvitation(invitation);
  }
  absl::StatusOr<InvitationRecord> FindInvitation(
      const Digest& token_hash) const override {
    return store_.FindInvitation(token_hash);
  }
  absl::Status UseInvitation(const Digest& token_hash, const Digest& request,
                             const std::string& join_request) override {
    return store_.UseInvitation(token_hash, request, join_request);
  }
  absl::StatusOr<std::string> JoinRequestOf(
      const MemberId& member) const override {
    return store_.JoinRequestOf(member);
  }
  absl::StatusOr<uint32_t> SweepNotices(LeafIndex end,
                                        uint32_t count) override {
    return store_.SweepNotices(end, count);
  }
  absl::StatusOr<uint32_t> SweepOpenings(LeafIndex end,
                                         uint32_t count) override {
    return store_.SweepOpenings(end, count);
  }
  absl::Status AppendLogged(std::span<const LoggedEntry> entries) override {
    return store_.AppendLogged(entries);
  }
  absl::Status AddOpenings(std::span<const Opening> openings) override {
    return store_.AddOpenings(openings);
  }
  absl::StatusOr<uint64_t> EndRebuilding(LeafIndex lost_from) override {
    return store_.EndRebuilding(lost_from);
  }
  absl::StatusOr<RebuiltRange> Rebuilt() const override {
    return store_.Rebuilt();
  }
  absl::Status CopyTo(const std::string& path) override {
    return store_.CopyTo(path);
  }

 private:
  Store& store_;
};

// Fails commits while it is told to: before they are written, or after, as a
// crash between write and answer would. Thread-safe.
class FailingStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  enum class When { kNever, kBefore, kAfter };
  void Fail(When when, absl::Status status) {
    MutexLock lock(mutex_);
    when_ = when;
    status_ = std::move(status);
  }

  absl::StatusOr<std::vector<OpResult>> Commit(std::span<const Op> ops,
                                               absl::Time now) override {
    When when;
    absl::Status status;
    {
      MutexLock lock(mutex_);
      when = when_;
      status = status_;
    }
    if (when == When::kBefore) return status;
    auto results = ForwardingStore::Commit(ops, now);
    if (when == When::kAfter) return status;
    return results;
  }

 private:
  Mutex mutex_;
  When when_ ABSL_GUARDED_BY(mutex_) = When::kNever;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace amparo::broker
