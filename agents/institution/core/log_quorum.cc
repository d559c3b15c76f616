// The part of LogWatch that waits for witnesses: what they cosigned, and what
// takes effect by it (docs/PROTOCOL.md, Witnesses).

#include <algorithm>
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

}  // namespace

absl::Status LogWatch::FollowWitnessed(const std::string& note) {
  ASSIGN_OR_RETURN(const Witnessed shown, VerifyWitnessed(note));
  while (true) {
    const uint64_t version = peers_.Now()->charter.charter.version;
    // Its witnesses may not be ours yet; and what the broker keeps of the time
    // when the next charter came shows for how long things have been known.
    if (CharterWaits(version + 1)) RETURN_IF_ERROR(FollowCharter(version + 1));
    ASSIGN_OR_RETURN(const bool counts, Adopt(shown));
    if (counts) RETURN_IF_ERROR(Enact());
    if (peers_.Now()->charter.charter.version == version)
      return absl::OkStatus();
  }
}

// By the note under which it came into force; OK, and nothing changes, when
// there is none, or it does not count.
absl::Status LogWatch::FollowCharter(uint64_t version) {
  const auto kept = broker_.GetCharterCheckpoint(version);
  if (absl::IsNotFound(kept.status())) return absl::OkStatus();
  RETURN_IF_ERROR(kept.status());
  ASSIGN_OR_RETURN(const Witnessed witnessed, VerifyWitnessed(*kept));
  ASSIGN_OR_RETURN(const bool counts, Adopt(witnessed));
  return counts ? Enact() : absl::OkStatus();
}

absl::Status LogWatch::FollowCharters() {
  while (true) {
    const uint64_t version = peers_.Now()->charter.charter.version;
    RETURN_IF_ERROR(FollowCharter(version + 1));
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
  // A witness's clock may be anything; nothing was cosigned in time to come.
  candidate.at = std::min(*at, clock_.Now() + kClockAlarm);
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
  bool found = false;
  const auto peers = peers_.Now();
  ForEachWaiting(*peers, [&](const OpenEntry& open) {
    const auto* charter = std::get_if<CharterEntry>(&open.entry.content);
    found = charter != nullptr && charter->version == version;
    return !found;
  }).IgnoreError();
  return found;
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

absl::Status LogWatch::ForEachWaiting(
    const Peers& peers,
    const std::function<bool(const OpenEntry&)>& visit) const {
  const LeafIndex end(peers.size.value());
  for (LeafIndex from = peers.enacted; from < end;) {
    ASSIGN_OR_RETURN(const std::vector<OpenEntry> page, OpenEntries(from, end));
    if (page.empty()) break;
    for (const OpenEntry& open : page)
      if (!visit(open)) return absl::OkStatus();
    from = LeafIndex(page.back().leaf.value() + 1);
  }
  return absl::OkStatus();
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
  ASSIGN_OR_RETURN(std::vector<OpenEntry> page,
                   OpenEntries(peers.enacted, limit));
  if (page.empty()) peers.enacted = limit;
  const bool witnessed = peers.charter.charter.witness_quorum > 0;
  for (OpenEntry& open : page) {
    // The broker alone says when it logged something. What waits for a quorum is
    // as old as the first one over it that this agent has seen.
    if (!again && witnessed) {
      open.since = std::max(open.entry.time, witnessed_->at);
      rows.Put(OpenEntryKey(open.leaf), EncodeSince(open.since));
    }
    const uint64_t version = peers.charter.charter.version;
    RETURN_IF_ERROR(enactment_.Enact(open, again, peers));
    // Who comes later, or rebuilds the log, needs it: a newer note may lack the
    // quorum of the charter before.
    if (!again && witnessed && peers.charter.charter.version != version)
      rows.Put(CharterNoteKey(peers.charter.charter.version),
               AsBytes(FormatNote(witnessed_->note)));
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
