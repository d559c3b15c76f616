#include "agents/auditor/replay.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agents/auditor/replay_walk.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/tile.h"

namespace amparo::auditor {

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

absl::Status Walk::Finish() {
  std::vector<std::vector<Digest>> edge;
  if (options_.state != nullptr) edge = tree_.Edge();
  if (tree_.size() == report_.size) RETURN_IF_ERROR(tree_.Finish());
  network_.Finish();
  const std::optional<CharterQuorum::Count> count = quorum_.Finish();
  Report::Known known = report_.known();
  openings_.Finish();
  events_.Finish();
  if (options_.mirror)
    erasures_.LeaveOpen(report_);
  else
    erasures_.Finish(openings_.unopened(), report_);
  const bool signature_good = checkpoint_.Finish(network_, count);
  FinishTree(signature_good);
  cases_.Finish();
  if (network_.newest().has_value()) {
    report_.first_charter = network_.root();
    for (const Member& member : network_.newest()->charter.members)
      report_.members.push_back({member.id.text(), member.name,
                                 std::string(NameOf(member.kind)),
                                 std::string(NameOf(member.status))});
  }
  if (options_.network != nullptr) options_.network(network_);
  if (options_.state != nullptr && IsGround(signature_good))
    GiveState(std::move(edge), std::move(known));
  return absl::OkStatus();
}

bool Walk::IsGround(bool signature_good) const {
  for (const Step step : {Step::kCharterChain, Step::kTiles, Step::kCheckpoint,
                          Step::kConsistency, Step::kDisclosures})
    if (report_.step(step).failed) return false;
  // What is not kept cannot be told again.
  return signature_good && !quorum_.left_open() &&
         report_.findings_omitted() == 0;
}

void Walk::GiveState(std::vector<std::vector<Digest>> edge,
                     Report::Known known) {
  ReplayState state{.root = network_.root(),
                    .root_pinned = report_.root_pinned,
                    .with_openings = openings_.active(),
                    .checkpoint = checkpoint_.note(),
                    .edge = std::move(edge),
                    .unopened = openings_.unopened(),
                    .unexplained = openings_.unexplained(),
                    .known = std::move(known),
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
