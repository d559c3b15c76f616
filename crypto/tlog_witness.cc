#include "crypto/tlog_witness.h"

#include <utility>

#include "base/error.h"
#include "base/status.h"
#include "crypto/add_checkpoint.h"
#include "crypto/merkle.h"

namespace amparo {
namespace {

// A checkpoint may be overtaken by the next one on its way.
constexpr absl::Duration kOvertaken = absl::Minutes(1);

// `note` as the first of `keys` that signed it has it.
absl::StatusOr<Checkpoint> VerifyByAny(const std::string& note,
                                       const std::vector<NoteVerifier>& keys) {
  for (const NoteVerifier& key : keys)
    if (auto checkpoint = VerifyCheckpoint(note, key); checkpoint.ok())
      return checkpoint;
  return MakeError(absl::StatusCode::kPermissionDenied,
                   "no key of the log signed this checkpoint",
                   {.code = "verification_failed"});
}

// The log's own word on when it handed `note` out.
std::optional<absl::Time> HandedOut(const std::string& note,
                                    const std::vector<NoteVerifier>& keys) {
  for (const NoteVerifier& key : keys)
    if (const auto time = TimeOfCheckpoint(note, key); time.ok()) return *time;
  return std::nullopt;
}

LogFault FaultOf(const WitnessedLog& log, const Checkpoint& shown,
                 const AddCheckpoint& request) {
  const Checkpoint& known = log.checkpoint;
  if (log.note.empty()) return LogFault::kNone;
  if (shown.size == known.size)
    return shown.root == known.root ? LogFault::kNone : LogFault::kFork;
  if (shown.size < known.size) {
    const auto before = HandedOut(log.note, log.keys);
    const auto after = HandedOut(request.note, log.keys);
    return before && after && *after > *before + kOvertaken
               ? LogFault::kRollback
               : LogFault::kNone;
  }
  if (request.old_size != known.size) return LogFault::kNone;
  const auto begins =
      PrefixRoot(known.size, shown.size, shown.root, request.proof);
  return begins.ok() && *begins != known.root ? LogFault::kInconsistent
                                              : LogFault::kNone;
}

// The checks between sizes, of a checkpoint that the log signed.
std::pair<unsigned, const char*> Place(const Checkpoint& known,
                                       const Checkpoint& shown,
                                       const AddCheckpoint& request) {
  if (request.old_size > shown.size)
    return {400, "the old size is larger than the checkpoint's\n"};
  if (request.old_size != known.size) return {409, ""};
  if (shown.size == known.size) {
    if (shown.root != known.root) return {409, ""};
    if (request.proof.empty()) return {200, ""};
  } else if (known.size.value() == 0) {
    if (request.proof.empty()) return {200, ""};
  } else if (VerifyConsistency(known.size, known.root, shown.size, shown.root,
                               request.proof)
                 .ok()) {
    return {200, ""};
  }
  return {422, "the consistency proof does not verify\n"};
}

}  // namespace

absl::string_view NameOf(LogFault fault) {
  switch (fault) {
    case LogFault::kNone:
      return "none";
    case LogFault::kFork:
      return "fork";
    case LogFault::kInconsistent:
      return "inconsistent";
    case LogFault::kRollback:
      return "rollback";
  }
  return "";
}

absl::StatusOr<WitnessedLog> RememberLog(std::vector<NoteVerifier> keys,
                                         const std::string& note) {
  if (keys.empty()) return absl::InvalidArgumentError("a log without a key");
  for (const NoteVerifier& key : keys)
    if (key.type() != NoteKeyType::kEd25519 || key.name() != keys[0].name())
      return absl::InvalidArgumentError("not a key of this log");
  WitnessedLog log{std::move(keys), note, {}};
  log.checkpoint = {log.keys[0].name(), TreeSize(0), EmptyRoot(), {}};
  if (!note.empty()) {
    ASSIGN_OR_RETURN(log.checkpoint, VerifyByAny(note, log.keys));
  }
  return log;
}

WitnessVerdict JudgeAddCheckpoint(const WitnessMemory& memory,
                                  absl::string_view body) {
  WitnessVerdict verdict;
  const auto request = ParseAddCheckpoint(body);
  if (!request.ok()) {
    verdict.says = "not an add-checkpoint request\n";
    return verdict;
  }
  // A checkpoint's first line is its origin.
  const auto log =
      memory.find(request->note.substr(0, request->note.find('\n')));
  if (log == memory.end()) {
    verdict.status = 404;
    verdict.says = "unknown log\n";
    return verdict;
  }
  const auto shown = VerifyByAny(request->note, log->second.keys);
  if (!shown.ok()) {
    verdict.status = 403;
    verdict.says = "invalid signature\n";
    return verdict;
  }
  verdict.origin = log->first;
  verdict.note = request->note;
  verdict.checkpoint = *shown;
  const Checkpoint& known = log->second.checkpoint;
  const auto [status, says] = Place(known, *shown, *request);
  verdict.status = status;
  verdict.says = status == 409 ? FormatWitnessSize(known.size) : says;
  verdict.fault = FaultOf(log->second, *shown, *request);
  return verdict;
}

}  // namespace amparo
