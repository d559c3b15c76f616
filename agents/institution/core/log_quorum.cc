// The part of LogWatch that waits for witnesses: what they cosigned, and what
// takes effect by it (docs/PROTOCOL.md, Witnesses).

#include <algorithm>
#include <iterator>
#include <utility>

#include "agents/institution/core/log_rows.h"
#include "agents/institution/core/log_watch.h"
#include "base/status.h"
#include "proto/envelope/limits.h"
#include "proto/network/key_event.h"
#include "proto/network/witnesses.h"

namespace amparo::agent {
namespace {

constexpr size_t kOpenEntriesAtOnce = 256;

// Dated before a checkpoint without it that a quorum cosigned, by more than an
// honest broker's clock may be off.
bool IsBackdated(const OpenEntry& open) {
  return open.since - open.entry.time > kCreatedBefore;
}

}  // namespace

absl::Status LogWatch::FollowWitnessed(const std::string& note) {
  ASSIGN_OR_RETURN(const Witnessed shown, VerifyWitnessed(note));
  while (true) {
    const uint64_t version = peers_.Now()->charter.charter.version;
    ASSIGN_OR_RETURN(bool counts, Adopt(shown));
    if (!counts && CharterWaits(version + 1)) {
      // Its witnesses are not ours yet: the broker keeps what our own cosigned
      // when the next charter came.
      const auto kept = broker_.GetCharterCheckpoint(version + 1);
      if (absl::IsNotFound(kept.status())) return absl::OkStatus();
      RETURN_IF_ERROR(kept.status());
      ASSIGN_OR_RETURN(const Witnessed earlier, VerifyWitnessed(*kept));
      ASSIGN_OR_RETURN(counts, Adopt(earlier));
    }
    if (!counts) return absl::OkStatus();
    RETURN_IF_ERROR(Enact());
    if (peers_.Now()->charter.charter.version == version)
      return absl::OkStatus();
  }
}

absl::Status LogWatch::FollowCharters() {
  while (true) {
    const uint64_t version = peers_.Now()->charter.charter.version;
    const auto kept = broker_.GetCharterCheckpoint(version + 1);
    if (absl::IsNotFound(kept.status())) return absl::OkStatus();
    RETURN_IF_ERROR(kept.status());
    ASSIGN_OR_RETURN(const Witnessed witnessed, VerifyWitnessed(*kept));
    ASSIGN_OR_RETURN(const bool counts, Adopt(witnessed));
    if (counts) RETURN_IF_ERROR(Enact());
    if (peers_.Now()->charter.charter.version == version)
      return absl::OkStatus();
  }
}

// Signed by the log, and of the log that this agent has.
absl::StatusOr<LogWatch::Witnessed> LogWatch::VerifyWitnessed(
    const std::string& note) {
  ASSIGN_OR_RETURN(const Checkpoint checkpoint, VerifyByLogKey(note));
  if (checkpoint.size > size()) RETURN_IF_ERROR(Follow(note));
  const View now = view();
  Digest root = now.root;
  if (checkpoint.size != now.size) {
    ASSIGN_OR_RETURN(root, mirror_.RootAt(checkpoint.size));
  }
  if (checkpoint.root != root) return Contradicts(note, "log_fork");
  ASSIGN_OR_RETURN(Note parsed, ParseNote(note));
  return Witnessed{std::move(parsed), checkpoint.size, absl::UnixEpoch()};
}

// Whether it has the quorum of the charter in force; kept when it is the
// newest.
absl::StatusOr<bool> LogWatch::Adopt(Witnessed candidate) {
  const AcceptedCharter charter = peers_.Now()->charter;
  const auto at = QuorumTime(candidate.note, charter.charter);
  if (!at) return false;
  candidate.at = *at;
  // A larger one that does not count under this charter helps nobody.
  const bool counts =
      witnessed_ && (witnessed_for_ == charter.hash ||
                     QuorumTime(witnessed_->note, charter.charter));
  if (counts && std::pair(candidate.size, candidate.at) <=
                    std::pair(witnessed_->size, witnessed_->at))
    return true;
  Batch rows;
  rows.Put(kLogWitnessedKey, AsBytes(FormatNote(candidate.note)));
  rows.Put(kLogWitnessedTimeKey, EncodeSince(candidate.at));
  RETURN_IF_ERROR(kv_.Write(rows));
  witnessed_ = std::move(candidate);
  witnessed_for_ = charter.hash;
  return true;
}

bool LogWatch::CharterWaits(uint64_t version) const {
  const auto waiting = Waiting();
  return waiting.ok() &&
         std::any_of(waiting->begin(), waiting->end(),
                     [&](const OpenEntry& open) {
                       const auto* charter =
                           std::get_if<CharterEntry>(&open.entry.content);
                       return charter != nullptr && charter->version == version;
                     });
}

bool LogWatch::AwaitsQuorum(const Peers& peers, const MemberId& member,
                            LeafIndex leaf) const {
  LeafIndex from = peers.enacted;
  while (true) {
    const auto page = OpenEntries(from, leaf);
    if (!page.ok() || page->empty()) return false;
    for (const OpenEntry& open : *page) {
      if (std::holds_alternative<CharterEntry>(open.entry.content) ||
          std::holds_alternative<SuspensionEntry>(open.entry.content))
        return true;
      const auto* event = std::get_if<KeyEventEntry>(&open.entry.content);
      if (event == nullptr) continue;
      const auto about = PeekKeyEvent(event->document);
      if (about.ok() && about->member == member) return true;
    }
    from = LeafIndex(page->back().leaf.value() + 1);
  }
}

void LogWatch::RingIfBackdated(const std::string& note, LeafIndex start,
                               LeafIndex end) const {
  if (!witnessed_) return;
  const auto page = OpenEntries(start, end);
  if (page.ok() && std::any_of(page->begin(), page->end(), IsBackdated))
    alarms_.Raise("log_backdated", std::nullopt, clock_.Now(),
                  AsBytes(FormatNote(witnessed_->note) + "\n" + note));
}

absl::Time LogWatch::CosignNotBefore() const {
  const auto waiting = Waiting();
  // Better no witness than one that knows nothing.
  if (!waiting.ok()) return absl::InfiniteFuture();
  const absl::Duration delay = peers_.Now()->charter.charter.trust_delay;
  absl::Time not_before = absl::InfinitePast();
  for (const OpenEntry& open : *waiting)
    if (IsBackdated(open))
      not_before = std::max(not_before, open.since + delay);
  return not_before;
}

absl::StatusOr<std::vector<OpenEntry>> LogWatch::Waiting() const {
  const auto peers = peers_.Now();
  const LeafIndex end(peers->size.value());
  std::vector<OpenEntry> waiting;
  for (LeafIndex from = peers->enacted; from < end;) {
    ASSIGN_OR_RETURN(std::vector<OpenEntry> page, OpenEntries(from, end));
    if (page.empty()) break;
    from = LeafIndex(page.back().leaf.value() + 1);
    std::move(page.begin(), page.end(), std::back_inserter(waiting));
  }
  return waiting;
}

LeafIndex LogWatch::EnactLimit(const AcceptedCharter& charter) {
  if (charter.charter.witness_quorum == 0) return LeafIndex(size().value());
  if (!witnessed_) return LeafIndex(0);
  // Counted anew when another charter came into force.
  if (witnessed_for_ != charter.hash) {
    if (!QuorumTime(witnessed_->note, charter.charter)) return LeafIndex(0);
    witnessed_for_ = charter.hash;
  }
  return LeafIndex(witnessed_->size.value());
}

// From `start` on, below `end`; fewer than there are, but none only at the end.
absl::StatusOr<std::vector<OpenEntry>> LogWatch::OpenEntries(
    LeafIndex start, LeafIndex end) const {
  std::vector<std::pair<LeafIndex, absl::Time>> rows;
  RETURN_IF_ERROR(kv_.Scan(kLogOpenPrefix, OpenEntryKey(start),
                           [&](absl::string_view key, ByteView row) {
                             const LeafIndex leaf = LeafOfOpenEntry(key);
                             if (leaf >= end ||
                                 rows.size() == kOpenEntriesAtOnce)
                               return false;
                             rows.emplace_back(leaf, DecodeSince(row));
                             return true;
                           }));
  std::vector<OpenEntry> entries;
  entries.reserve(rows.size());
  for (const auto& [leaf, since] : rows) {
    ASSIGN_OR_RETURN(const Bytes bytes, mirror_.EntryAt(leaf));
    ASSIGN_OR_RETURN(LogEntry entry, DecodeLogEntry(bytes));
    entries.push_back({leaf, since, std::move(entry)});
  }
  return entries;
}

// One page of what is not enacted yet, up to the next charter: it says what
// holds for those behind it.
absl::Status LogWatch::EnactPage(LeafIndex limit, bool again, Peers& peers,
                                 Batch& rows) {
  ASSIGN_OR_RETURN(const std::vector<OpenEntry> page,
                   OpenEntries(peers.enacted, limit));
  if (page.empty()) peers.enacted = limit;
  for (const OpenEntry& open : page) {
    RETURN_IF_ERROR(enactment_.Enact(open, again, peers));
    peers.enacted = LeafIndex(open.leaf.value() + 1);
    rows.Put(kLogEnactedKey, EncodeEnacted(peers.enacted));
    if (std::holds_alternative<CharterEntry>(open.entry.content)) break;
  }
  return absl::OkStatus();
}

absl::Status LogWatch::Enact() {
  Peers peers = *peers_.Now();
  Batch rows;
  absl::Status status;
  while (status.ok()) {
    const LeafIndex limit = EnactLimit(peers.charter);
    if (limit <= peers.enacted) break;
    status = EnactPage(limit, false, peers, rows);
  }
  if (!rows.empty()) RETURN_IF_ERROR(kv_.Write(rows));
  enactment_.SettleEnded(peers);
  if (witnessed_) {
    peers.witnessed_size = witnessed_->size;
    peers.witnessed_at = witnessed_->at;
  }
  peers_.Publish(std::move(peers));
  return status;
}

}  // namespace amparo::agent
