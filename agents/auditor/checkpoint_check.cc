#include "agents/auditor/checkpoint_check.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status.h"
#include "crypto/note.h"
#include "proto/network/witnesses.h"

namespace amparo::auditor {

std::string OnlyKnownSigners(const std::string& note,
                             const NetworkFold& network) {
  absl::StatusOr<Note> parsed = ParseNote(note);
  if (!parsed.ok() || !network.newest().has_value()) return note;
  std::vector<NoteVerifier> known = network.witnesses();
  known.insert(known.end(), network.log_keys().begin(),
               network.log_keys().end());
  const Note whole = *parsed;
  const auto good = [&](const NoteVerifier& verifier) {
    return verifier.type() == NoteKeyType::kEd25519
               ? VerifyNote(whole, verifier).ok()
               : VerifyCosignature(whole, verifier).ok();
  };
  std::erase_if(known, [&](const NoteVerifier& key) { return !good(key); });
  std::erase_if(parsed->signatures, [&](const NoteSignature& signature) {
    return std::none_of(known.begin(), known.end(),
                        [&](const NoteVerifier& verifier) {
                          return verifier.name() == signature.name &&
                                 verifier.key_hash() == signature.key_hash;
                        });
  });
  return FormatNote(*parsed);
}

CheckpointCheck::CheckpointCheck(std::string note,
                                 std::vector<std::string> since, Report& report)
    : note_(std::move(note)), report_(report), claimed_(PeekCheckpoint(note_)) {
  if (!claimed_.ok())
    report_.Add(Step::kCheckpoint, {FindingCode::kBadCheckpoint, std::nullopt,
                                    "the checkpoint cannot be read", ""});
  for (std::string& text : since) {
    absl::StatusOr<Checkpoint> older = PeekCheckpoint(text);
    if (older.ok())
      older_.push_back({std::move(text), *std::move(older), std::nullopt});
    else
      report_.Add(Step::kConsistency,
                  {FindingCode::kBadCheckpoint, std::nullopt,
                   "an older checkpoint cannot be read", ""});
  }
}

void CheckpointCheck::AddReplayed(std::string note) {
  absl::StatusOr<Checkpoint> older = PeekCheckpoint(note);
  if (!older.ok()) return;
  // What the walk starts from is that tree; a smaller log has it no more.
  std::optional<Digest> root;
  if (claimed_.ok() && older->size <= claimed_->size) root = older->root;
  older_.push_back({std::move(note), *std::move(older), root});
}

bool CheckpointCheck::WantsRoot(TreeSize size) const {
  return std::any_of(older_.begin(), older_.end(), [&](const Older& older) {
    return older.claimed.size == size;
  });
}

void CheckpointCheck::OnSize(TreeSize size, const Digest& root) {
  for (Older& older : older_)
    if (older.claimed.size == size) older.root = root;
}

absl::Status CheckpointCheck::VerifyByLog(
    const std::string& note, const std::vector<NoteVerifier>& log_keys) const {
  absl::Status last = absl::PermissionDeniedError("no log key signed it");
  for (const NoteVerifier& key : log_keys) {
    last = VerifyCheckpoint(note, key).status();
    if (last.ok()) break;
  }
  return last;
}

bool CheckpointCheck::Finish(const NetworkFold& network,
                             const std::optional<CharterQuorum::Count>& count) {
  if (!network.newest().has_value() || !count.has_value()) {
    report_.Skip(Step::kCheckpoint, network.WhyNone());
    report_.Skip(Step::kConsistency, network.WhyNone());
    return true;
  }
  report_.Checked(Step::kCheckpoint);
  // A key that a charter in force no longer names is worth nothing on it.
  absl::Status good = VerifyByLog(note_, count->log_keys);
  if (good.ok()) good = count->good;
  report_.quorum = count->quorum;
  report_.quorum_charter = count->version;
  if (good.ok()) {
    report_.cosignatures = static_cast<uint32_t>(count->times.size());
    CompareTimes(*count);
    if (!count->times.empty())
      report_.checkpoint_at = count->times[count->times.size() / 2];
  }
  if (!good.ok())
    report_.Add(Step::kCheckpoint,
                {FindingCode::kBadCheckpoint, std::nullopt,
                 absl::StrCat("the checkpoint is not signed as it must be: ",
                              good.message()),
                 "C2SP signed note, by the log key of the charter"});
  else if (report_.cosignatures < report_.quorum)
    report_.Add(Step::kCheckpoint,
                {FindingCode::kQuorumMissing, std::nullopt,
                 absl::StrCat(report_.cosignatures, " witness(es) of charter ",
                              "version ", report_.quorum_charter, " cosigned, ",
                              report_.quorum, " are needed"),
                 ""});
  CompareOlder(network);
  return good.ok();
}

void CheckpointCheck::CompareTimes(const CharterQuorum::Count& count) {
  if (count.quorum == 0 || count.times.size() < count.quorum ||
      !report_.checkpoint_at.has_value())
    return;
  const absl::Time median = CharterQuorum::MedianOf(count.times);
  if (*report_.checkpoint_at <= median + CharterQuorum::LaterMax()) return;
  report_.Add(
      Step::kLinks,
      {FindingCode::kLate, std::nullopt,
       absl::StrCat("the newest entry says ", FormatUtc(*report_.checkpoint_at),
                    ", and witnesses cosigned a log with it at ",
                    FormatUtc(median)),
       "the time in the checkpoint's cosignature lines, against bytes "
       "1 to 8 of the last entry"});
}

void CheckpointCheck::CompareOlder(const NetworkFold& network) {
  for (const Older& older : older_) {
    report_.Checked(Step::kConsistency);
    const uint64_t size = older.claimed.size.value();
    if (!VerifyByLog(older.note, network.log_keys()).ok())
      report_.Add(Step::kConsistency,
                  {FindingCode::kBadCheckpoint, std::nullopt,
                   absl::StrCat("the older checkpoint of size ", size,
                                " is not signed by a log key"),
                   ""});
    else if (older.root != older.claimed.root)
      report_.Add(
          Step::kConsistency,
          {FindingCode::kInconsistent, std::nullopt,
           older.root.has_value()
               ? absl::StrCat("the log's first ", size,
                              " entries are not those of the older checkpoint")
               : absl::StrCat("the log ends after ", report_.size.value(),
                              " entries, and a checkpoint over ", size,
                              " was signed before: it was cut back or put "
                              "back, or what is shown here is not its newest "
                              "state"),
           "both checkpoints are signed: where the log's host shows the "
           "smaller one after the larger one, together they are the "
           "evidence"});
  }
  if (report_.step(Step::kConsistency).checked == 0)
    report_.Skip(Step::kConsistency, "no older checkpoint was given");
}

}  // namespace amparo::auditor
