#include "agents/institution/core/log_watch.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agents/institution/core/log_rows.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/envelope/limits.h"

namespace amparo::agent {
namespace {

absl::Status Tampered(absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, what, {.code = "tampered"});
}

}  // namespace

LogWatch::LogWatch(KeyValue& kv, PeerBook& peers, BrokerPort& broker,
                   Alarms& alarms, const Clock& clock)
    : kv_(kv),
      peers_(peers),
      broker_(broker),
      alarms_(alarms),
      clock_(clock),
      mirror_(kv),
      enactment_(kv, broker, alarms, clock) {}

absl::StatusOr<std::unique_ptr<LogWatch>> LogWatch::Open(KeyValue& kv,
                                                         PeerBook& peers,
                                                         BrokerPort& broker,
                                                         Alarms& alarms,
                                                         const Clock& clock) {
  std::unique_ptr<LogWatch> watch(
      new LogWatch(kv, peers, broker, alarms, clock));
  RETURN_IF_ERROR(watch->Load());
  return watch;
}

absl::Status LogWatch::Load() {
  // Until it is followed again.
  contradicted_ = alarms_.Has("log_rollback", std::nullopt);
  const auto stored = kv_.Get(kLogEdgeKey);
  if (absl::IsNotFound(stored.status())) return absl::OkStatus();
  RETURN_IF_ERROR(stored.status());
  ASSIGN_OR_RETURN(LogEdge edge, DecodeLogEdge(*stored));
  Peers peers = *peers_.Now();
  peers.size = edge.range.size();
  peers.newest_entry = edge.newest;
  {
    MutexLock lock(mutex_);
    range_ = std::move(edge.range);
    newest_ = edge.newest;
  }
  ASSIGN_OR_RETURN(const LeafIndex enacted, ReadEnacted(kv_));
  Batch unused;  // what it would store is stored
  while (peers.enacted < enacted)
    RETURN_IF_ERROR(EnactPage(enacted, true, peers, unused));
  // Behind the last entry in the open there is nothing to wait for.
  ASSIGN_OR_RETURN(const auto waiting,
                   OpenEntries(peers.enacted, LeafIndex(peers.size.value())));
  if (waiting.empty() && peers.charter.charter.witness_quorum == 0)
    peers.enacted = LeafIndex(peers.size.value());
  if (const auto note = kv_.Get(kLogWitnessedKey); note.ok()) {
    ASSIGN_OR_RETURN(Note parsed, ParseNote(AsText(*note)));
    ASSIGN_OR_RETURN(const Checkpoint checkpoint, ParseCheckpoint(parsed.text));
    witnessed_ = {std::move(parsed), checkpoint.size, ReadWitnessedTime(kv_)};
    peers.witnessed_size = witnessed_->size;
    peers.witnessed_at = witnessed_->at;
  }
  peers_.Publish(std::move(peers));
  return absl::OkStatus();
}

absl::StatusOr<Checkpoint> LogWatch::VerifyByLogKey(
    const std::string& note) const {
  absl::Status refused = absl::PermissionDeniedError(
      "no log key of the charter in force signed it");
  const auto peers = peers_.Now();
  const Charter& in_force = peers->charter.charter;
  std::vector<NoteVerifier> log_keys = in_force.log_keys;
  if (to_come_ && to_come_->version > in_force.version)
    log_keys.insert(log_keys.end(), to_come_->log_keys.begin(),
                    to_come_->log_keys.end());
  for (const NoteVerifier& log_key : log_keys) {
    auto checkpoint = VerifyCheckpoint(note, log_key);
    if (checkpoint.ok()) return checkpoint;
    if (!absl::IsNotFound(checkpoint.status())) refused = checkpoint.status();
  }
  return refused;
}

absl::Status LogWatch::Contradicts(const std::string& note, const char* code) {
  // Both are signed: together they prove what the broker did.
  contradicted_ = true;
  const auto followed = kv_.Get(kLogCheckpointKey);
  alarms_.Raise(
      code, std::nullopt, clock_.Now(),
      AsBytes((followed.ok() ? ToText(*followed) + "\n" : "") + note));
  return MakeError(absl::StatusCode::kDataLoss,
                   "the broker's log contradicts what it showed before",
                   {.code = "forked"});
}

absl::Status LogWatch::Follow(const std::string& note) {
  ASSIGN_OR_RETURN(const Checkpoint checkpoint, VerifyByLogKey(note));
  CompactRange range;
  absl::Time newest;
  {
    MutexLock lock(mutex_);
    range = range_;
    newest = newest_;
  }
  if (checkpoint.size < range.size()) return Contradicts(note, "log_rollback");
  if (checkpoint.size == range.size()) {
    if (checkpoint.root != range.Root()) return Contradicts(note, "log_fork");
    contradicted_ = false;
    followed_ = true;
    return Enact();  // what could not be fetched the last time
  }
  RETURN_IF_ERROR(Fetch(note, checkpoint.size, range, newest));
  if (checkpoint.root != range.Root()) return Contradicts(note, "log_fork");

  Batch batch;
  batch.Put(kLogEdgeKey, EncodeLogEdge({range, newest}));
  batch.Put(kLogCheckpointKey, AsBytes(note));
  RETURN_IF_ERROR(kv_.Write(batch));
  contradicted_ = false;
  followed_ = true;
  Peers peers = *peers_.Now();
  peers.size = range.size();
  peers.newest_entry = newest;
  peers_.Publish(std::move(peers));
  {
    MutexLock lock(mutex_);
    range_ = std::move(range);
    newest_ = newest;
  }
  const absl::Status enacted = Enact();
  grown_.SignalAll();
  return enacted;
}

// Entries are stored as they come: without the edge, which is written when the
// root fits, they mean nothing and the next attempt overwrites them.
absl::Status LogWatch::Fetch(const std::string& note, TreeSize until,
                             CompactRange& range, absl::Time& newest) {
  while (range.size() < until) {
    const LeafIndex start(range.size().value());
    const uint64_t missing = until.value() - start.value();
    ASSIGN_OR_RETURN(
        std::vector<Bytes> entries,
        broker_.GetEntries(start, static_cast<uint32_t>(std::min<uint64_t>(
                                      missing, kPageEntriesMax))));
    if (entries.empty() || entries.size() > missing)
      return Tampered("the broker does not serve the entries it signed for");
    Batch batch;
    for (const Bytes& bytes : entries) {
      const LeafIndex leaf(range.size().value());
      ASSIGN_OR_RETURN(const LogEntry entry, DecodeLogEntry(bytes));
      // No honest log does that, and no later page can make it good.
      if (entry.time < newest) return Contradicts(note, "log_fork");
      newest = entry.time;
      mirror_.Append(bytes, range, batch);
      RETURN_IF_ERROR(enactment_.Provide(entry, batch));
      if (!std::holds_alternative<CommitmentEntry>(entry.content))
        batch.Put(OpenEntryKey(leaf), EncodeSince(entry.time));
    }
    RETURN_IF_ERROR(kv_.Write(batch));
  }
  return absl::OkStatus();
}

TreeSize LogWatch::size() const {
  MutexLock lock(mutex_);
  return range_.size();
}

LogWatch::View LogWatch::view() const {
  MutexLock lock(mutex_);
  return {range_.size(), range_.Root()};
}

std::optional<Digest> LogWatch::RootAt(TreeSize size) const {
  {
    MutexLock lock(mutex_);
    if (size > range_.size()) return std::nullopt;
    if (size == range_.size()) return range_.Root();
  }
  const auto root = mirror_.RootAt(size);
  return root.ok() ? std::optional<Digest>(*root) : std::nullopt;
}

absl::StatusOr<LogEntry> LogWatch::EntryAt(LeafIndex leaf) const {
  if (leaf.value() >= size().value())
    return absl::OutOfRangeError("this leaf is not proven yet");
  ASSIGN_OR_RETURN(const Bytes bytes, mirror_.EntryAt(leaf));
  return DecodeLogEntry(bytes);
}

absl::Status LogWatch::CheckIncluded(const LeafReceipt& receipt,
                                     ByteView event_bytes) const {
  ASSIGN_OR_RETURN(const LogEntry entry, EntryAt(receipt.leaf));
  const LogEntry promised{
      receipt.time, CommitmentEntry{LeafCommitment(receipt.salt, event_bytes)}};
  if (entry == promised) return absl::OkStatus();
  alarms_.Raise("log_fork", std::nullopt, clock_.Now(), event_bytes.first(0));
  return Tampered("the log does not hold what the broker signed for");
}

void LogWatch::KeepOpening(const LeafReceipt& receipt, ByteView event_bytes,
                           Batch& rows) const {
  if (keeps_openings_)
    mirror_.PutOpening(receipt.leaf, receipt.salt, event_bytes, rows);
}

bool LogWatch::WaitFor(TreeSize size, absl::Duration timeout) const {
  // Steady: a clock that is set meanwhile neither hurries nor delays it.
  const auto until =
      std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(timeout);
  MutexLock lock(mutex_);
  while (range_.size() < size) {
    const absl::Duration left =
        absl::FromChrono(until - std::chrono::steady_clock::now());
    if (left <= absl::ZeroDuration()) return false;
    grown_.WaitFor(mutex_, left);
  }
  return true;
}

}  // namespace amparo::agent
