#include "agents/auditor/replay.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "agents/auditor/checkpoint_check.h"
#include "agents/auditor/event_check.h"
#include "agents/auditor/link_check.h"
#include "agents/auditor/network_fold.h"
#include "agents/auditor/opening_check.h"
#include "agents/auditor/tree_check.h"
#include "base/status.h"
#include "crypto/tile.h"
#include "proto/envelope/log_entry.h"
#include "proto/network/key_event.h"

namespace amparo::auditor {
namespace {

bool IsAnswerAboutTheLog(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsInvalidArgument(status);
}

// One walk over the log, handing each entry to the steps.
class Walk {
 public:
  Walk(LeafSource& source, const ReplayOptions& options, std::string note,
       Report& report)
      : source_(source),
        options_(options),
        report_(report),
        checkpoint_(std::move(note), options.since, report),
        tree_(source, report),
        network_(source, options.root, report),
        openings_(source, report),
        links_(report),
        events_(network_, openings_, links_, report, options_.timeline,
                options_.access_anchors) {}

  absl::Status Run();

 private:
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
  OpeningCheck openings_;
  LinkCheck links_;
  EventCheck events_;
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
  const uint64_t size = report_.size.value();
  for (uint64_t start = 0; start < size; start += kTileWidth) {
    const uint32_t count =
        static_cast<uint32_t>(std::min<uint64_t>(kTileWidth, size - start));
    ASSIGN_OR_RETURN(const uint64_t read, ReadBundle(start, count));
    if (options_.progress != nullptr) options_.progress(start + read, size);
    if (read < count) break;
  }
  return Finish();
}

absl::StatusOr<uint64_t> Walk::ReadBundle(uint64_t start, uint32_t count) {
  absl::StatusOr<std::vector<Bytes>> entries = source_.Entries(start, count);
  if (!entries.ok()) {
    if (!IsAnswerAboutTheLog(entries.status())) return entries.status();
    entries = std::vector<Bytes>();
  }
  if (entries->size() > count) entries->resize(count);
  RETURN_IF_ERROR(
      openings_.Load(start, static_cast<uint32_t>(entries->size())));
  for (size_t i = 0; i < entries->size(); ++i)
    RETURN_IF_ERROR(OnEntry(LeafIndex(start + i), (*entries)[i]));
  openings_.EndOfBundle();
  return entries->size();
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
  report_.checkpoint_at = entry->time;
  return OnContent(leaf, entry->time, *entry);
}

absl::Status Walk::OnContent(LeafIndex leaf, absl::Time time,
                             const LogEntry& entry) {
  if (const auto* charter = std::get_if<CharterEntry>(&entry.content)) {
    AddRow(leaf, time, "charter", "",
           absl::StrCat("version ", charter->version));
    return network_.OnCharter(leaf, *charter);
  }
  if (const auto* key = std::get_if<KeyEventEntry>(&entry.content)) {
    const absl::StatusOr<KeyEvent> event = PeekKeyEvent(key->document);
    AddRow(leaf, time, "key_event", event.ok() ? event->member.text() : "", "");
    network_.OnKeyEvent(leaf, time, *key);
  } else if (const auto* suspension =
                 std::get_if<SuspensionEntry>(&entry.content)) {
    AddRow(leaf, time, "suspension", "", "");
    network_.OnSuspension(leaf, *suspension);
  } else if (const auto* commitment =
                 std::get_if<CommitmentEntry>(&entry.content)) {
    const std::optional<AuditEvent> event = openings_.Open(leaf, *commitment);
    if (event.has_value())
      events_.OnEvent(leaf, time, *event);
    else
      AddRow(leaf, time, "sealed", "", "");
  }
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
  if (tree_.size() == report_.size) RETURN_IF_ERROR(tree_.Finish());
  network_.Finish();
  openings_.Finish();
  events_.Finish();
  FinishTree(checkpoint_.Finish(network_));
  report_.Skip(Step::kDisclosures, "no opened cases were given");
  if (options_.network != nullptr) options_.network(network_);
  return absl::OkStatus();
}

void Walk::FinishTree(bool signature_good) {
  if (tree_.size() == report_.size) {
    if (tree_.Root() != report_.root_hash)
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
  absl::StatusOr<std::string> note = source.Checkpoint();
  if (!note.ok()) {
    if (!IsAnswerAboutTheLog(note.status())) return note.status();
    note = std::string();
  }
  Walk walk(source, options, *std::move(note), report);
  RETURN_IF_ERROR(walk.Run());
  report.OrderFindings();
  report.Checked(Step::kReport);
  return report;
}

}  // namespace amparo::auditor
