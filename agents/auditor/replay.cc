#include "agents/auditor/replay.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "agents/auditor/case_check.h"
#include "agents/auditor/charter_quorum.h"
#include "agents/auditor/checkpoint_check.h"
#include "agents/auditor/erasures.h"
#include "agents/auditor/event_check.h"
#include "agents/auditor/link_check.h"
#include "agents/auditor/network_fold.h"
#include "agents/auditor/opening_check.h"
#include "agents/auditor/tree_check.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/checkpoint.h"
#include "crypto/tile.h"
#include "proto/envelope/log_entry.h"
#include "proto/network/key_event.h"
#include "proto/network/suspension.h"

namespace amparo::auditor {
namespace {

bool IsAnswerAboutTheLog(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsInvalidArgument(status);
}

// One walk over the log, handing each entry to the steps.
class Walk {
 public:
  // `root`: the pin, or the one of the state that is resumed.
  Walk(LeafSource& source, const ReplayOptions& options,
       const std::optional<Digest>& root, std::string note, Report& report)
      : source_(source),
        options_(options),
        report_(report),
        checkpoint_(std::move(note), options.since, report),
        tree_(source, report),
        network_(source, root, report),
        quorum_(source, checkpoint_.note(), report),
        openings_(source, options.mirror, report),
        links_(erasures_, report),
        cases_(options.cases, network_, report),
        events_(network_, openings_, erasures_, links_, report,
                options_.timeline, options_.access_anchors) {}

  absl::Status Run();

 private:
  // What an earlier replay knew at its end.
  absl::Status Restore(const ReplayState& state);
  // A charter, key event or suspension.
  absl::Status OnOpenContent(LeafIndex leaf, absl::Time time,
                             const LogEntry& entry, bool replayed = false);
  void CheckReplayed(LeafIndex leaf, ByteView bytes);
  void GiveState(std::vector<std::vector<Digest>> edge);
  // The entries of one bundle; how many there were.
  absl::StatusOr<uint64_t> ReadBundle(uint64_t start, uint32_t count);
  absl::Status OnEntry(LeafIndex leaf, ByteView bytes);
  absl::Status OnContent(LeafIndex leaf, absl::Time time,
                         const LogEntry& entry);
  void AddRow(LeafIndex leaf, absl::Time time, const char* event,
              const std::string& from, const std::string& detail);
  absl::Status Finish();
  void FinishTree(bool signature_good);

  LeafSource& source_;
  const ReplayOptions& options_;
  Report& report_;
  CheckpointCheck checkpoint_;
  TreeCheck tree_;
  NetworkFold network_;
  CharterQuorum quorum_;
  OpeningCheck openings_;
  Erasures erasures_;
  LinkCheck links_;
  CaseCheck cases_;
  EventCheck events_;
  uint64_t from_ = 0;        // the entries before were replayed earlier
  bool is_smaller_ = false;  // than what was replayed earlier
  std::vector<std::pair<LeafIndex, Bytes>> open_entries_;  // for the state
};

absl::Status Walk::Run() {
  if (!checkpoint_.claimed().ok()) {
    for (size_t i = 0; i < kStepCount; ++i)
      if (static_cast<Step>(i) != Step::kReport)
        report_.Skip(static_cast<Step>(i), "the checkpoint cannot be read");
    return absl::OkStatus();
  }
  report_.size = checkpoint_.claimed()->size;
  report_.root_hash = checkpoint_.claimed()->root;
  if (checkpoint_.WantsRoot(TreeSize(0)))
    checkpoint_.OnSize(TreeSize(0), EmptyRoot());
  if (options_.resume != nullptr) RETURN_IF_ERROR(Restore(*options_.resume));
  const uint64_t size = is_smaller_ ? 0 : report_.size.value();
  for (uint64_t start = from_ / kTileWidth * kTileWidth; start < size;
       start += kTileWidth) {
    const uint32_t count =
        static_cast<uint32_t>(std::min<uint64_t>(kTileWidth, size - start));
    ASSIGN_OR_RETURN(const uint64_t read, ReadBundle(start, count));
    if (options_.progress != nullptr) options_.progress(start + read, size);
    if (read < count) break;
  }
  return Finish();
}

absl::Status Walk::Restore(const ReplayState& state) {
  const absl::Status damaged =
      MakeError(absl::StatusCode::kDataLoss,
                "the state of the earlier replay does not fit itself",
                {.code = "tampered", .field = "--state"});
  checkpoint_.AddReplayed(state.checkpoint);
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
  if (is_smaller_) return absl::OkStatus();
  if (!tree_.Restore(replayed->size, state.edge).ok() ||
      tree_.Root() != replayed->root)
    return damaged;
  openings_.Restore(state.unopened);
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
    return OnOpenContent(leaf, time, entry);
  }
  const std::optional<AuditEvent> event = openings_.Open(leaf, *commitment);
  if (event.has_value()) {
    events_.OnEvent(leaf, time, *event);
    cases_.OnEvent(leaf, time, *event);
  } else {
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

absl::Status Walk::Finish() {
  std::vector<std::vector<Digest>> edge;
  if (options_.state != nullptr) edge = tree_.Edge();
  if (tree_.size() == report_.size) RETURN_IF_ERROR(tree_.Finish());
  network_.Finish();
  openings_.Finish();
  events_.Finish();
  if (options_.mirror)
    erasures_.LeaveOpen(report_);
  else
    erasures_.Finish(openings_.unopened(), report_);
  FinishTree(checkpoint_.Finish(network_, quorum_.Finish()));
  cases_.Finish();
  if (network_.newest().has_value()) {
    report_.first_charter = network_.root();
    for (const Member& member : network_.newest()->charter.members)
      report_.members.push_back({member.id.text(), member.name,
                                 std::string(NameOf(member.kind)),
                                 std::string(NameOf(member.status))});
  }
  if (options_.network != nullptr) options_.network(network_);
  if (options_.state != nullptr && report_.ok() && !quorum_.left_open())
    GiveState(std::move(edge));
  return absl::OkStatus();
}

void Walk::GiveState(std::vector<std::vector<Digest>> edge) {
  ReplayState state{.root = network_.root(),
                    .root_pinned = report_.root_pinned,
                    .with_openings = openings_.active(),
                    .checkpoint = checkpoint_.note(),
                    .edge = std::move(edge),
                    .unopened = openings_.unopened(),
                    .open_entries = std::move(open_entries_),
                    .erasures = erasures_.state(),
                    .links = links_.state(),
                    .events = events_.state()};
  options_.state(state);
}

void Walk::FinishTree(bool signature_good) {
  if (is_smaller_)
    return report_.Skip(Step::kTiles,
                        "the log is smaller than what was replayed before");
  if (tree_.size() == report_.size) {
    if (tree_.Root() != report_.root_hash && from_ > 0)
      report_.Add(
          Step::kConsistency,
          {FindingCode::kInconsistent, std::nullopt,
           absl::StrCat("the log does not go on from the ", from_,
                        " entries that were replayed before: with what came "
                        "since they do not make the root that the checkpoint "
                        "says"),
           "amparo-audit compare, with the checkpoint that was replayed before "
           "and this one; a replay without --state says where they part"});
    else if (tree_.Root() != report_.root_hash)
      report_.Add(Step::kTiles,
                  {FindingCode::kRootMismatch, std::nullopt,
                   "the entries do not make the root that the checkpoint says",
                   "RFC 6962 tree hash of all entries, against the third line "
                   "of the checkpoint"});
    return;
  }
  // A size that nobody signed is no evidence of missing entries.
  if (!signature_good)
    return report_.Skip(Step::kTiles,
                        "the entries end before the size that the badly "
                        "signed checkpoint claims");
  const uint64_t next = tree_.size().value();
  report_.Add(
      Step::kTiles,
      {FindingCode::kTileMissing, LeafIndex(next),
       absl::StrCat("the entries from ", next, " on are missing or cannot be ",
                    "read; the checkpoint says ", report_.size.value()),
       ""});
}

}  // namespace

absl::StatusOr<Report> Replay(LeafSource& source,
                              const ReplayOptions& options) {
  Report report;
  report.root_pinned = options.root.has_value();
  std::optional<Digest> root = options.root;
  if (options.resume != nullptr) {
    if (root.value_or(options.resume->root) != options.resume->root ||
        source.HasOpenings() != options.resume->with_openings)
      return MakeError(absl::StatusCode::kInvalidArgument,
                       "the earlier replay was of another network, or had "
                       "openings where this one has none, or the reverse",
                       {.code = "conflict", .field = "--state"});
    root = options.resume->root;
    report.root_pinned |= options.resume->root_pinned;
  }
  absl::StatusOr<std::string> note = source.Checkpoint();
  if (!note.ok()) {
    if (!IsAnswerAboutTheLog(note.status())) return note.status();
    note = std::string();
  }
  Walk walk(source, options, root, *std::move(note), report);
  RETURN_IF_ERROR(walk.Run());
  report.OrderFindings();
  report.Checked(Step::kReport);
  return report;
}

}  // namespace amparo::auditor
