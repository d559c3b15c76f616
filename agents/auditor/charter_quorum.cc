#include "agents/auditor/charter_quorum.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "proto/network/witnesses.h"

namespace amparo::auditor {
namespace {

constexpr char kHowToCheck[] =
    "charter-checkpoints/VERSION of the export: its root against the tree of "
    "so "
    "many entries, its cosignature lines (C2SP tlog-cosignature) by the "
    "witness "
    "keys of the version before";

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
  // The log went on since the replay began: they were not there yet.
  if (claimed->size > size_) step.kept.state = Kept::State::kLater;
}

bool CharterQuorum::WantsRoot(TreeSize size) const {
  return std::any_of(steps_.begin(), steps_.end(), [&](const Step& step) {
    return step.kept.state == Kept::State::kThere && step.kept.size == size;
  });
}

void CharterQuorum::OnSize(TreeSize size, const Digest& root) {
  for (Step& step : steps_)
    if (step.kept.size == size) step.kept.root = root;
}

// Under a quorum of 0 each checkpoint counts: the newest may be the first one
// with the charter if nothing follows it.
bool CharterQuorum::CameByNewest(const Step& step) const {
  if (step.quorum_before == 0) return step.leaf.value() + 1 == size_.value();
  return step.kept.state == Kept::State::kThere && step.kept.size == size_;
}

bool CharterQuorum::CameIntoForce(Step& step) {
  if (step.replayed || step.quorum_before == 0) return true;
  Kept& kept = step.kept;
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
  if (kept.state == Kept::State::kThere || step.newest_enacts) return true;
  if (kept.state == Kept::State::kLater) {
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
  return steps_[by].newest;
}

}  // namespace amparo::auditor
