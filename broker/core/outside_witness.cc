#include "broker/core/outside_witness.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/event_log.h"
#include "base/status.h"
#include "crypto/add_checkpoint.h"
#include "crypto/checkpoint.h"
#include "crypto/merkle_path.h"
#include "crypto/tile.h"

namespace amparo::broker {
namespace {

// As agents do with a log that does not grow.
constexpr absl::Duration kCosignAgain = absl::Minutes(30);
constexpr absl::Duration kWaitFirst = absl::Seconds(2);
constexpr absl::Duration kWaitMax = absl::Seconds(30);
// Of one name; more is no answer.
constexpr size_t kCosignaturesMax = 8;
constexpr uint32_t kLevelsPerTile = 8;

absl::Status Useless(const char* code, absl::string_view message) {
  return MakeError(absl::StatusCode::kUnavailable, message, {.code = code});
}

NodeSource NodesOf(const Store& store) {
  return [&store](NodeId node) -> absl::StatusOr<Digest> {
    const uint32_t above = node.level % kLevelsPerTile;
    const uint32_t count = 1u << above;
    ASSIGN_OR_RETURN(
        const std::vector<Digest> hashes,
        store.Hashes(node.level / kLevelsPerTile, node.index << above, count));
    if (hashes.size() < count)
      return absl::NotFoundError("the log has no such node");
    return PerfectRoot(hashes);
  };
}

}  // namespace

OutsideWitness::OutsideWitness(int number, std::string name, Post post,
                               const Store& store, WitnessBook& book,
                               const Clock& clock)
    : number_(number),
      name_(std::move(name)),
      post_(std::move(post)),
      store_(store),
      book_(book),
      clock_(clock) {}

void OutsideWitness::Step(const std::string& note) {
  const auto parsed = ParseNote(note);
  if (!parsed.ok() || !IsDue(parsed->text)) return;
  Finish(Ask(note));
}

bool OutsideWitness::IsDue(const std::string& text) const {
  const absl::Time now = clock_.Now();
  // A clock that was set back must not hold it up for longer than it waits.
  if (now < next_try_ && next_try_ - now <= wait_) return false;
  if (cosigned_ && cosigned_->text == text &&
      absl::AbsDuration(now - cosigned_->taken_at) < kCosignAgain)
    return false;
  return IsWanted();
}

absl::Status OutsideWitness::Ask(const std::string& note) {
  last_status_ = 0;
  ASSIGN_OR_RETURN(const Note parsed, ParseNote(note));
  ASSIGN_OR_RETURN(const Checkpoint checkpoint, ParseCheckpoint(parsed.text));
  const TreeSize size = checkpoint.size;
  ASSIGN_OR_RETURN(Answer answer, Send(note, size));
  if (answer.status == 409) {
    // Its word on what it has is only where the next proof begins.
    const auto has = ParseWitnessSize(answer.body);
    if (!has.ok()) return Useless("bad_answer", "a conflict without a size");
    if (*has > size) return Useless("ahead", "it has a larger log than this");
    known_ = *has;
    ASSIGN_OR_RETURN(answer, Send(note, size));
  }
  if (answer.status != 200) return Useless("refused", "it does not cosign");
  return Take(answer, parsed.text, size);
}

absl::StatusOr<OutsideWitness::Answer> OutsideWitness::Send(
    const std::string& note, TreeSize size) {
  AddCheckpoint request{std::min(known_, size), {}, note};
  if (request.old_size.value() > 0 && request.old_size < size) {
    ASSIGN_OR_RETURN(request.proof,
                     ConsistencyProof(request.old_size, size, NodesOf(store_)));
  }
  ASSIGN_OR_RETURN(Answer answer, post_(FormatAddCheckpoint(request)));
  last_status_ = answer.status;
  return answer;
}

absl::Status OutsideWitness::Take(const Answer& answer, const std::string& text,
                                  TreeSize size) {
  const auto lines = ParseNote(absl::StrCat(text, "\n", answer.body));
  if (!lines.ok() || lines->text != text)
    return Useless("bad_answer", "no lines of signatures");
  absl::Status refused = Useless("bad_answer", "no signature of its name");
  size_t looked_at = 0;
  for (const NoteSignature& signature : lines->signatures) {
    if (signature.name != name_ || ++looked_at > kCosignaturesMax) continue;
    // An answer of before, replayed: its time is older, whoever brings it.
    const absl::Time at = signature.signature.size() < 8
                              ? absl::InfinitePast()
                              : absl::FromUnixSeconds(static_cast<int64_t>(
                                    ReadU64(signature.signature)));
    if (cosigned_ && cosigned_->text == text && at <= cosigned_->at) {
      refused = Useless("stale", "it said so before");
      continue;
    }
    refused = book_.AddOutside(signature, size);
    // Too late for this one: enough others were faster.
    const auto detail = DetailOf(refused);
    const bool late = absl::IsFailedPrecondition(refused) && detail &&
                      detail->field == "tree_size";
    if (absl::IsFailedPrecondition(refused) && !late)
      refused = Useless("clock", "its clock is over an hour from this one");
    if (refused.ok() || late) {
      known_ = size;
      cosigned_ = Cosigned{text, refused.ok() ? at : absl::InfinitePast(),
                           clock_.Now()};
      return absl::OkStatus();
    }
  }
  return refused;
}

// Told once when it falls silent, and once when it is back.
void OutsideWitness::Finish(const absl::Status& asked) {
  const bool failed = !asked.ok();
  if (failed) {
    wait_ = std::min(std::max(wait_ * 2, kWaitFirst), kWaitMax);
    next_try_ = clock_.Now() + wait_;
  } else {
    wait_ = absl::ZeroDuration();
    next_try_ = absl::InfinitePast();
  }
  {
    MutexLock lock(mutex_);
    if (silent_ == failed) return;
    silent_ = failed;
  }
  if (failed)
    LogEvent(EventLevel::kWarning, "witness_silent",
             {{"witness", number_},
              {"code", ErrorCodeOf(asked).c_str()},
              {"status", static_cast<int>(last_status_)}});
  else
    LogEvent("witness_answers", {{"witness", number_}});
}

bool OutsideWitness::IsSilent() const {
  if (!IsWanted()) return false;
  MutexLock lock(mutex_);
  return silent_.value_or(true);
}

}  // namespace amparo::broker
