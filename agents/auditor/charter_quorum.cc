#include "agents/auditor/charter_quorum.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status.h"
#include "proto/envelope/limits.h"
#include "proto/network/witnesses.h"

namespace amparo::auditor {
namespace {

constexpr char kHowToCheck[] =
    "charter-checkpoints/VERSION of the export: its root against the tree of "
    "so "
    "many entries, its cosignature lines (C2SP tlog-cosignature) by the "
    "witness "
    "keys of the version before";

// A witness that follows a long log, or is asked again, cosigns a while after
// the checkpoint was made.
constexpr absl::Duration kCosignedLate = absl::Hours(1);

absl::Status VerifyByLogOf(const AcceptedCharter& charter,
                           const std::string& note) {
  absl::Status refused = absl::PermissionDeniedError("no log key signed it");
  for (const NoteVerifier& key : charter.charter.log_keys) {
    refused = VerifyCheckpoint(note, key).status();
    if (refused.ok()) break;
  }
  return refused;
}

}  // namespace

CharterQuorum::CharterQuorum(LeafSource& source, const std::string& newest,
                             Report& report)
    : source_(source), report_(report), newest_(ParseNote(newest)) {
  const absl::StatusOr<Checkpoint> claimed = PeekCheckpoint(newest);
  if (claimed.ok()) size_ = claimed->size;
}

CharterQuorum::Count CharterQuorum::CountNewest(const Charter& charter) const {
  Count count{charter.version, charter.witness_quorum, newest_.status(), {}};
  if (!count.good.ok()) return count;
  auto times = CosignatureTimes(*newest_, charter);
  count.good = times.status();
  if (times.ok()) count.times = *std::move(times);
  return count;
}

absl::Status CharterQuorum::OnCharter(LeafIndex leaf,
                                      const NetworkFold& network,
                                      bool replayed) {
  const std::optional<AcceptedCharter>& next = network.newest();
  if (!next.has_value() || (last_.has_value() && last_->hash == next->hash))
    return absl::OkStatus();
  Step step{.leaf = leaf, .replayed = replayed};
  step.newest = CountNewest(next->charter);
  step.log_keys = next->charter.log_keys;
  if (last_.has_value()) {
    const Count& before = steps_.back().newest;
    step.quorum_before = before.quorum;
    step.newest_enacts =
        before.good.ok() && before.times.size() >= before.quorum;
    if (before.quorum > 0) RETURN_IF_ERROR(Fetch(*last_, step));
  }
  steps_.push_back(std::move(step));
  last_ = next;
  return absl::OkStatus();
}

absl::Status CharterQuorum::Fetch(const AcceptedCharter& before, Step& step) {
  const absl::StatusOr<std::string> note =
      source_.CharterCheckpoint(step.newest.version);
  // A source that knows nothing of them shows no more than one that has none.
  if (absl::IsUnimplemented(note.status()) || absl::IsNotFound(note.status()))
    return absl::OkStatus();
  if (!note.ok() && !absl::IsInvalidArgument(note.status()))
    return note.status();
  step.kept.state = Kept::State::kThere;
  step.kept.last = newest_entry_;  // its charter
  JudgeKept(note.value_or(""), before, step);
  return absl::OkStatus();
}

void CharterQuorum::JudgeKept(const std::string& note,
                              const AcceptedCharter& before, Step& step) const {
  const auto fault = [&step](FindingCode code, auto... why) {
    step.kept.fault = Finding{code, step.leaf, absl::StrCat(why...), ""};
  };
  const absl::StatusOr<Checkpoint> claimed = PeekCheckpoint(note);
  if (!claimed.ok())
    return fault(FindingCode::kBadCheckpoint, "it cannot be read");
  step.kept.size = claimed->size;
  step.kept.claimed = claimed->root;
  if (const absl::Status by_log = VerifyByLogOf(before, note); !by_log.ok())
    return fault(FindingCode::kBadCheckpoint, "no log key of version ",
                 before.charter.version, " signed it");
  if (claimed->size.value() <= step.leaf.value())
    return fault(FindingCode::kQuorumMissing, "it does not hold the entry");
  const absl::StatusOr<Note> parsed = ParseNote(note);
  const auto times = CosignatureTimes(*parsed, before.charter);
  if (!times.ok())
    return fault(FindingCode::kBadCheckpoint, "a witness's line is bad");
  if (times->size() < before.charter.witness_quorum)
    return fault(FindingCode::kQuorumMissing, times->size(),
                 " of its witnesses cosigned, ", before.charter.witness_quorum,
                 " are needed");
  step.kept.cosigned = MedianOf(*times);
  // The log went on since the replay began: they were not there yet.
  if (claimed->size > size_) step.kept.state = Kept::State::kLater;
}

bool CharterQuorum::WantsRoot(TreeSize size) const {
  return std::any_of(steps_.begin(), steps_.end(), [&](const Step& step) {
    return step.kept.state == Kept::State::kThere && step.kept.size == size;
  });
}

void CharterQuorum::OnEntry(LeafIndex leaf, absl::Time time) {
  newest_entry_ = {leaf, time};
  for (Step& step : steps_) {
    Kept& kept = step.kept;
    if (leaf.value() < kept.size.value())
      kept.last = newest_entry_;
    else if (leaf.value() == kept.size.value())
      kept.next = newest_entry_;
  }
}

void CharterQuorum::OnSize(TreeSize size, const Digest& root) {
  for (Step& step : steps_)
    if (step.kept.size == size) step.kept.root = root;
}

absl::Duration CharterQuorum::LaterMax() { return kClockStop + kCreatedAfter; }

// Times never fall, so that the last entry before a checkpoint and the first
// after it speak for all.
void CharterQuorum::CompareTimes(const Step& step) {
  const Kept& kept = step.kept;
  if (!kept.cosigned.has_value()) return;
  const auto add = [&](const std::pair<LeafIndex, absl::Time>& entry,
                       const char* what) {
    report_.Add(auditor::Step::kLinks,
                {FindingCode::kLate, entry.first,
                 absl::StrCat("entry ", entry.first.value(), " says ",
                              FormatUtc(entry.second), what, kept.size.value(),
                              " entries at ", FormatUtc(*kept.cosigned)),
                 "charter-checkpoints/VERSION: the time in its cosignature "
                 "lines, against bytes 1 to 8 of the entry"});
  };
  if (kept.last.has_value() && kept.last->second > *kept.cosigned + LaterMax())
    add(*kept.last, ", and witnesses cosigned a log with it, of ");
  if (kept.next.has_value() &&
      kept.next->second < *kept.cosigned - LaterMax() - kCosignedLate)
    add(*kept.next, ", and came after witnesses had cosigned ");
}

// Under a quorum of 0 each checkpoint counts: the newest may be the first one
// with the charter if nothing follows it.
bool CharterQuorum::CameByNewest(const Step& step) const {
  if (step.quorum_before == 0) return step.leaf.value() + 1 == size_.value();
  return step.kept.state == Kept::State::kThere && step.kept.size == size_;
}

bool CharterQuorum::CameIntoForce(Step& step) {
  Kept& kept = step.kept;
  // The entry after its checkpoint may have come since.
  if (step.replayed && !kept.fault.has_value()) CompareTimes(step);
  if (step.replayed || step.quorum_before == 0) return true;
  const std::string who = absl::StrCat(
      "charter version ", step.newest.version, ", entry ", step.leaf.value(),
      ", and the witnesses of version ", step.newest.version - 1);
  if (kept.state == Kept::State::kThere && !kept.fault.has_value() &&
      kept.root != kept.claimed)
    kept.fault = Finding{FindingCode::kInconsistent, step.leaf,
                         "its root is not that of the log's first entries", ""};
  if (kept.fault.has_value()) {
    kept.fault->text = absl::StrCat(who,
                                    ": the checkpoint that is kept for it "
                                    "does not bring it into force, for ",
                                    kept.fault->text);
    kept.fault->check = kHowToCheck;
    report_.Add(auditor::Step::kCharterChain, *kept.fault);
    return step.newest_enacts;
  }
  if (kept.state == Kept::State::kThere) CompareTimes(step);
  if (kept.state == Kept::State::kThere || step.newest_enacts) return true;
  if (kept.state == Kept::State::kLater) {
    left_open_ = true;
    report_.Skip(auditor::Step::kCharterChain,
                 absl::StrCat(who,
                              ": they brought it into force after this "
                              "checkpoint, if they did"));
    return false;
  }
  report_.Add(auditor::Step::kCharterChain,
              {FindingCode::kQuorumMissing, step.leaf,
               absl::StrCat(who,
                            ": no checkpoint shows that they brought it "
                            "into force"),
               kHowToCheck});
  return false;
}

std::optional<CharterQuorum::Count> CharterQuorum::Finish() {
  if (steps_.empty()) return std::nullopt;
  // What was in force before the newest checkpoint it must count by; what came
  // into force with it, it may.
  size_t must = 0, may = 0;
  bool in_force = true;
  for (size_t i = 1; i < steps_.size(); ++i) {
    in_force = CameIntoForce(steps_[i]) && in_force;
    if (!in_force) continue;
    may = i;
    if (!CameByNewest(steps_[i])) must = i;
  }
  size_t by = may;
  for (; by > must; --by) {
    const Count& count = steps_[by].newest;
    if (!count.good.ok() || count.times.size() >= count.quorum) break;
  }
  if (by + 1 < steps_.size())
    report_.Skip(auditor::Step::kCheckpoint,
                 absl::StrCat("charter version ", steps_[by + 1].newest.version,
                              " came with this checkpoint at the earliest: "
                              "what was logged after entry ",
                              steps_[by + 1].leaf.value(),
                              " waits for its own witnesses"));
  Count count = steps_[by].newest;
  for (size_t i = must; i <= may; ++i)
    count.log_keys.insert(count.log_keys.end(), steps_[i].log_keys.begin(),
                          steps_[i].log_keys.end());
  return count;
}

}  // namespace amparo::auditor
