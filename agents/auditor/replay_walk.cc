#include "agents/auditor/replay_walk.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/checkpoint.h"
#include "crypto/tile.h"
#include "proto/network/key_event.h"
#include "proto/network/suspension.h"

namespace amparo::auditor {

absl::Status Walk::Restore(const ReplayState& state) {
  const absl::Status damaged =
      MakeError(absl::StatusCode::kDataLoss,
                "the state of the earlier replay does not fit itself",
                {.code = "tampered", .field = "--state"});
  checkpoint_.AddReplayed(state.checkpoint);
  report_.AddKnown(state.known);
  for (const auto& [leaf, bytes] : state.open_entries) {
    const absl::StatusOr<LogEntry> entry = DecodeLogEntry(bytes);
    if (!entry.ok()) return damaged;
    RETURN_IF_ERROR(OnOpenContent(leaf, entry->time, *entry, true));
    if (options_.state != nullptr) open_entries_.emplace_back(leaf, bytes);
  }
  const absl::StatusOr<Checkpoint> replayed = PeekCheckpoint(state.checkpoint);
  if (!replayed.ok()) return damaged;
  report_.counts = {};
  is_smaller_ = report_.size < replayed->size;
  if (is_smaller_) return RefuseOlder(replayed->size);
  if (!tree_.Restore(replayed->size, state.edge).ok() ||
      tree_.Root() != replayed->root)
    return damaged;
  openings_.Restore(state.unopened, state.unexplained,
                    LeafIndex(replayed->size.value()));
  erasures_.Restore(state.erasures);
  links_.Restore(state.links);
  EventCheck::State events = state.events;
  // An older program kept no entries with them: they may be as late as this.
  for (const auto& [member, checkpoint] : events.access_logs)
    events.access_leaves.try_emplace(member,
                                     LeafIndex(replayed->size.value() - 1));
  events_.Restore(std::move(events));
  from_ = replayed->size.value();
  report_.resumed_from = replayed->size;
  report_.checkpoint_at = state.links.newest;
  return absl::OkStatus();
}

// A host that shows less than it did is a finding. A folder may be a copy of an
// earlier day, which accuses nobody, and cannot be judged by a later one.
absl::Status Walk::RefuseOlder(TreeSize replayed) const {
  if (options_.live) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kFailedPrecondition,
      absl::StrCat("this export ends after ", report_.size.value(),
                   " entries, and ", replayed.value(),
                   " were replayed before: it is an older export, or of a log "
                   "that was cut back; nothing of it was judged"),
      {.code = "invalid_state",
       .field = "--state",
       .hint = "ask the log's host for a new export. A host that has no longer "
               "log than this one lost or hides what was seen: tell the "
               "committee. Without --state this export is judged by itself"});
}

absl::StatusOr<uint64_t> Walk::ReadBundle(uint64_t start, uint32_t count) {
  absl::StatusOr<std::vector<Bytes>> entries = source_.Entries(start, count);
  if (!entries.ok()) {
    if (!IsAnswerAboutTheLog(entries.status())) return entries.status();
    entries = std::vector<Bytes>();
  }
  if (entries->size() > count) entries->resize(count);
  RETURN_IF_ERROR(
      openings_.Load(start, static_cast<uint32_t>(entries->size()), from_));
  for (size_t i = 0; i < entries->size(); ++i) {
    const LeafIndex leaf(start + i);
    if (leaf.value() < from_)
      CheckReplayed(leaf, (*entries)[i]);
    else
      RETURN_IF_ERROR(OnEntry(leaf, (*entries)[i]));
    // After the entry: it may be the charter that asks.
    if (leaf.value() >= from_ && quorum_.WantsRoot(tree_.size()))
      quorum_.OnSize(tree_.size(), tree_.Root());
  }
  openings_.EndOfBundle();
  return entries->size();
}

// Entries of the bundle in which the earlier replay ended.
void Walk::CheckReplayed(LeafIndex leaf, ByteView bytes) {
  if (tree_.LeafAt(leaf) == LeafHash(bytes)) return;
  report_.Add(Step::kConsistency,
              {FindingCode::kInconsistent, leaf,
               absl::StrCat("entry ", leaf.value(),
                            " is not the one that was replayed before"),
               "the same entry in the export that was replayed before"});
}

absl::Status Walk::OnEntry(LeafIndex leaf, ByteView bytes) {
  RETURN_IF_ERROR(tree_.Append(bytes));
  if (checkpoint_.WantsRoot(tree_.size()))
    checkpoint_.OnSize(tree_.size(), tree_.Root());
  const absl::StatusOr<LogEntry> entry = DecodeLogEntry(bytes);
  if (!entry.ok()) {
    report_.Add(Step::kTiles,
                {FindingCode::kLeafMismatch, leaf,
                 absl::StrCat("entry ", leaf.value(), " is no log entry"), ""});
    return absl::OkStatus();
  }
  links_.OnEntry(leaf, entry->time);
  quorum_.OnEntry(leaf, entry->time);
  report_.checkpoint_at = entry->time;
  if (options_.state != nullptr &&
      !std::holds_alternative<CommitmentEntry>(entry->content))
    open_entries_.emplace_back(leaf, ToBytes(bytes));
  return OnContent(leaf, entry->time, *entry);
}

absl::Status Walk::OnContent(LeafIndex leaf, absl::Time time,
                             const LogEntry& entry) {
  const auto* commitment = std::get_if<CommitmentEntry>(&entry.content);
  if (commitment == nullptr) {
    if (const auto* charter = std::get_if<CharterEntry>(&entry.content))
      AddRow(leaf, time, "charter", "",
             absl::StrCat("version ", charter->version));
    else if (const auto* key = std::get_if<KeyEventEntry>(&entry.content)) {
      const absl::StatusOr<KeyEvent> event = PeekKeyEvent(key->document);
      AddRow(leaf, time, "key_event", event.ok() ? event->member.text() : "",
             "");
    } else {
      const auto* suspension = std::get_if<SuspensionEntry>(&entry.content);
      const absl::StatusOr<Suspension> said =
          PeekSuspension(suspension->document);
      AddRow(leaf, time, "suspension", "",
             said.ok() ? said->member.text() : "");
    }
    cases_.OnOpenEntry(leaf);
    return OnOpenContent(leaf, time, entry);
  }
  const std::optional<AuditEvent> event = openings_.Open(leaf, *commitment);
  if (event.has_value()) {
    events_.OnEvent(leaf, time, *event);
    cases_.OnEvent(leaf, time, *event);
  } else {
    cases_.OnUnopened(leaf);
    AddRow(leaf, time, "sealed", "", "");
  }
  return absl::OkStatus();
}

absl::Status Walk::OnOpenContent(LeafIndex leaf, absl::Time time,
                                 const LogEntry& entry, bool replayed) {
  if (const auto* charter = std::get_if<CharterEntry>(&entry.content)) {
    RETURN_IF_ERROR(network_.OnCharter(leaf, time, *charter));
    events_.OnCharter(leaf);
    return quorum_.OnCharter(leaf, network_, replayed);
  }
  if (const auto* key = std::get_if<KeyEventEntry>(&entry.content))
    network_.OnKeyEvent(leaf, time, *key);
  else if (const auto* suspension =
               std::get_if<SuspensionEntry>(&entry.content))
    network_.OnSuspension(leaf, time, *suspension);
  return absl::OkStatus();
}

void Walk::AddRow(LeafIndex leaf, absl::Time time, const char* event,
                  const std::string& from, const std::string& detail) {
  if (options_.timeline == nullptr) return;
  TimelineEntry row{.index = leaf, .at = time};
  row.event = event;
  row.from = from;
  row.detail = detail;
  options_.timeline(row);
}

}  // namespace amparo::auditor
