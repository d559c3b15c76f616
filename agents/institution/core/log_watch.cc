#include "agents/institution/core/log_watch.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/event_log.h"
#include "base/status.h"
#include "crypto/checkpoint.h"
#include "proto/envelope/limits.h"
#include "proto/network/suspension.h"

namespace amparo::agent {
namespace {

// Rows: every entry; those in the open again, for a quick start; charters; the
// root at each checkpoint; the right edge of the tree with the newest entry's
// time; the newest checkpoint.
constexpr char kEntryPrefix[] = "log/entry/";
constexpr char kOpenPrefix[] = "log/open/";
constexpr char kCharterPrefix[] = "log/charter/";
constexpr char kRootPrefix[] = "log/root/";
constexpr char kEdgeKey[] = "log/edge";
constexpr char kCheckpointKey[] = "log/checkpoint";

std::string NumberKey(absl::string_view prefix, uint64_t number) {
  Bytes suffix;
  AppendU64(suffix, number);
  return absl::StrCat(prefix, AsText(suffix));
}

Bytes EncodeEdge(const CompactRange& range, absl::Time newest) {
  Bytes bytes;
  AppendU64(bytes, range.size().value());
  AppendU64(bytes, static_cast<uint64_t>(UnixSeconds(newest)));
  for (const Digest& node : range.nodes()) Append(bytes, node.bytes());
  return bytes;
}

struct Edge {
  CompactRange range;
  absl::Time newest;
};
absl::StatusOr<Edge> DecodeEdge(ByteView bytes) {
  if (bytes.size() < 16 || (bytes.size() - 16) % Digest::kSize != 0)
    return absl::DataLossError("the stored edge of the log is damaged");
  std::vector<Digest> nodes;
  for (size_t at = 16; at < bytes.size(); at += Digest::kSize) {
    ASSIGN_OR_RETURN(nodes.emplace_back(),
                     Digest::FromBytes(bytes.subspan(at, Digest::kSize)));
  }
  ASSIGN_OR_RETURN(CompactRange range,
                   CompactRange::FromNodes(TreeSize(ReadU64(bytes)), nodes));
  return Edge{std::move(range),
              TimeFromUnix(static_cast<int64_t>(ReadU64(bytes.subspan(8))))};
}

absl::Status Tampered(absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, what, {.code = "tampered"});
}

}  // namespace

LogWatch::LogWatch(KeyValue& kv, PeerBook& peers, BrokerPort& broker,
                   Alarms& alarms, const Clock& clock)
    : kv_(kv), peers_(peers), broker_(broker), alarms_(alarms), clock_(clock) {}

absl::StatusOr<std::unique_ptr<LogWatch>> LogWatch::Open(KeyValue& kv,
                                                         PeerBook& peers,
                                                         BrokerPort& broker,
                                                         Alarms& alarms,
                                                         const Clock& clock) {
  std::unique_ptr<LogWatch> watch(new LogWatch(kv, peers, broker, alarms, clock));
  RETURN_IF_ERROR(watch->Load());
  return watch;
}

absl::Status LogWatch::Load() {
  const auto stored = kv_.Get(kEdgeKey);
  if (absl::IsNotFound(stored.status())) return absl::OkStatus();
  RETURN_IF_ERROR(stored.status());
  ASSIGN_OR_RETURN(Edge edge, DecodeEdge(*stored));
  std::vector<OpenEntry> open_entries;
  absl::Status decoded;
  RETURN_IF_ERROR(kv_.Scan(kOpenPrefix, "", [&](absl::string_view key, ByteView value) {
    auto entry = DecodeLogEntry(value);
    decoded = entry.status();
    key.remove_prefix(sizeof kOpenPrefix - 1);
    if (decoded.ok())
      open_entries.push_back({LeafIndex(ReadU64(AsBytes(key))), *std::move(entry)});
    return decoded.ok();
  }));
  RETURN_IF_ERROR(decoded);
  Peers peers = *peers_.Now();
  Batch unused;  // what it would store is stored
  for (const OpenEntry& open : open_entries)
    RETURN_IF_ERROR(ApplyOpen(open, true, peers, unused));
  peers.size = edge.range.size();
  peers.newest_entry = edge.newest;
  peers_.Publish(std::move(peers));
  MutexLock lock(mutex_);
  range_ = std::move(edge.range);
  newest_ = edge.newest;
  return absl::OkStatus();
}

absl::StatusOr<Checkpoint> LogWatch::VerifyByLogKey(const std::string& note) const {
  absl::Status refused = absl::PermissionDeniedError("the charter names no log key");
  const auto peers = peers_.Now();
  for (const NoteVerifier& log_key : peers->charter.charter.log_keys) {
    auto checkpoint = VerifyCheckpoint(note, log_key);
    if (checkpoint.ok()) return checkpoint;
    refused = checkpoint.status();
  }
  return refused;
}

absl::Status LogWatch::Contradicts(const std::string& note, const char* code) {
  // The note is signed: with the one stored it proves what the broker did.
  alarms_.Raise(code, std::nullopt, clock_.Now(), AsBytes(note));
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
    return absl::OkStatus();
  }
  std::vector<OpenEntry> open_entries;
  RETURN_IF_ERROR(Fetch(checkpoint.size, range, newest, open_entries));
  if (checkpoint.root != range.Root()) return Contradicts(note, "log_fork");

  Peers peers = *peers_.Now();
  Batch batch;
  for (const OpenEntry& open : open_entries)
    RETURN_IF_ERROR(ApplyOpen(open, false, peers, batch));
  batch.Put(kEdgeKey, EncodeEdge(range, newest));
  batch.Put(kCheckpointKey, AsBytes(note));
  batch.Put(NumberKey(kRootPrefix, range.size().value()), checkpoint.root.bytes());
  RETURN_IF_ERROR(kv_.Write(batch));
  peers.size = range.size();
  peers.newest_entry = newest;
  SettleEnded(peers);
  peers_.Publish(std::move(peers));
  {
    MutexLock lock(mutex_);
    range_ = std::move(range);
    newest_ = newest;
  }
  grown_.SignalAll();
  return absl::OkStatus();
}

// Entries are stored as they come: without the edge, which is written when the
// root fits, they mean nothing and the next attempt overwrites them.
absl::Status LogWatch::Fetch(TreeSize until, CompactRange& range,
                             absl::Time& newest,
                             std::vector<OpenEntry>& open_entries) {
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
      ASSIGN_OR_RETURN(LogEntry entry, DecodeLogEntry(bytes));
      if (entry.time < newest) return Tampered("the log's time runs backwards");
      newest = entry.time;
      batch.Put(NumberKey(kEntryPrefix, leaf.value()), bytes);
      range.Append(LeafHash(bytes));
      if (!std::holds_alternative<CommitmentEntry>(entry.content))
        open_entries.push_back({leaf, std::move(entry)});
    }
    RETURN_IF_ERROR(kv_.Write(batch));
  }
  return absl::OkStatus();
}

// A new identity key ends a freeze; the log's time, or a charter, a suspension.
void LogWatch::SettleEnded(const Peers& peers) {
  for (const AlarmRecord& alarm : alarms_.List()) {
    if (!alarm.member) continue;
    if (alarm.code == "keys_frozen" && !peers.keys.IsFrozen(*alarm.member))
      alarms_.Settle("keys_frozen", alarm.member);
    if (alarm.code == "suspended" &&
        !peers.keys.standings().SuspendedUntil(*alarm.member,
                                               peers.newest_entry))
      alarms_.Settle("suspended", alarm.member);
  }
}

// By two governance keys. What is refused counts for nobody; it stays in the
// log as evidence.
void LogWatch::ApplySuspension(const OpenEntry& open,
                               const std::string& document, bool again,
                               Peers& peers) {
  const absl::Status applied =
      peers.keys.Suspend(document, open.leaf, open.entry.time);
  if (again) return;
  if (!applied.ok()) {
    LogEvent(EventLevel::kError, "suspension_refused", {{"leaf", open.leaf}});
    return;
  }
  LogEvent(EventLevel::kWarning, "suspension_accepted", {{"leaf", open.leaf}});
  const auto said = PeekSuspension(document);
  if (said.ok())
    alarms_.Raise("suspended", said->member, clock_.Now(), AsBytes(document));
}

absl::Status LogWatch::ApplyOpen(const OpenEntry& open, bool again, Peers& peers,
                                 Batch& batch) {
  batch.Put(NumberKey(kOpenPrefix, open.leaf.value()), EncodeLogEntry(open.entry));
  if (const auto* event = std::get_if<KeyEventEntry>(&open.entry.content)) {
    // What the directory refuses counts for nobody; it stays as evidence.
    const absl::Status applied =
        peers.keys.Apply(event->document, open.leaf, open.entry.time);
    if (absl::IsDataLoss(applied) && !again) {
      const auto seen = PeekKeyEvent(event->document);
      if (seen.ok())
        alarms_.Raise("keys_frozen", seen->member, clock_.Now(),
                      AsBytes(event->document));
    }
    return absl::OkStatus();
  }
  if (const auto* suspension =
          std::get_if<SuspensionEntry>(&open.entry.content)) {
    ApplySuspension(open, suspension->document, again, peers);
    return absl::OkStatus();
  }
  const auto* charter = std::get_if<CharterEntry>(&open.entry.content);
  if (charter == nullptr) return absl::OkStatus();
  const uint64_t current = peers.charter.charter.version;
  if (charter->version <= current) {
    // The first leaf of a version counts.
    if (charter->version == current && charter->hash != peers.charter.hash && !again)
      alarms_.Raise("charter_fork", std::nullopt, clock_.Now(), charter->hash.bytes());
    return absl::OkStatus();
  }
  const std::string key = NumberKey(kCharterPrefix, charter->version);
  std::string document;
  if (auto stored = kv_.Get(key); stored.ok()) {
    document = ToText(*stored);
  } else {
    ASSIGN_OR_RETURN(document, broker_.GetDocument(charter->hash));
  }
  if (Sha256(document) != charter->hash)
    return Tampered("the broker serves another charter than the log names");
  auto next = AcceptNextCharter(document, peers.charter, open.entry.time);
  if (!next.ok()) {
    if (!again)
      alarms_.Raise("bad_charter", std::nullopt, clock_.Now(), charter->hash.bytes());
    return absl::OkStatus();  // the charter in force stays in force
  }
  batch.Put(key, AsBytes(document));
  peers.charter = *std::move(next);
  peers.keys.SetCharter(peers.charter, open.leaf);
  if (!again) alarms_.Settle("bad_charter", std::nullopt);
  LogEvent("charter_accepted", {{"version", peers.charter.charter.version}});
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
  const auto stored = kv_.Get(NumberKey(kRootPrefix, size.value()));
  if (!stored.ok()) return std::nullopt;
  const auto root = Digest::FromBytes(*stored);
  return root.ok() ? std::optional<Digest>(*root) : std::nullopt;
}

absl::StatusOr<LogEntry> LogWatch::EntryAt(LeafIndex leaf) const {
  if (leaf.value() >= size().value())
    return absl::OutOfRangeError("this leaf is not proven yet");
  ASSIGN_OR_RETURN(const Bytes bytes, kv_.Get(NumberKey(kEntryPrefix, leaf.value())));
  return DecodeLogEntry(bytes);
}

absl::Status LogWatch::CheckIncluded(const LeafReceipt& receipt,
                                     ByteView event_bytes) const {
  ASSIGN_OR_RETURN(const LogEntry entry, EntryAt(receipt.leaf));
  const LogEntry promised{receipt.time,
                          CommitmentEntry{LeafCommitment(receipt.salt, event_bytes)}};
  if (entry == promised) return absl::OkStatus();
  alarms_.Raise("log_fork", std::nullopt, clock_.Now(), event_bytes.first(0));
  return Tampered("the log does not hold what the broker signed for");
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
