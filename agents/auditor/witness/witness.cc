#include "agents/auditor/witness/witness.h"

#include <utility>

#include "absl/strings/match.h"
#include "base/error.h"
#include "base/event_log.h"
#include "base/status.h"

namespace amparo::auditor {
namespace {

HttpAnswer Plain(unsigned status, std::string body) {
  return {.status = status, .body = std::move(body)};
}

}  // namespace

absl::StatusOr<Witness> Witness::Open(const WitnessFolder& folder,
                                      const Clock& clock) {
  ASSIGN_OR_RETURN(const NoteVerifier verifier, folder.ReadVerifier());
  ASSIGN_OR_RETURN(SigningKey key, folder.ReadKey());
  ASSIGN_OR_RETURN(WitnessMemory memory, folder.ReadMemory());
  return Witness(folder, clock, verifier.name(), std::move(key),
                 std::move(memory));
}

Witness::Witness(const WitnessFolder& folder, const Clock& clock,
                 std::string name, SigningKey key, WitnessMemory memory)
    : folder_(folder),
      clock_(clock),
      name_(std::move(name)),
      key_(std::move(key)),
      memory_(std::move(memory)) {}

HttpAnswer Witness::Answer(absl::string_view path, absl::string_view body) {
  if (!absl::EndsWith(path, "/add-checkpoint"))
    return Plain(404, "not found\n");
  const WitnessVerdict verdict = JudgeAddCheckpoint(memory_, body);
  if (verdict.fault != LogFault::kNone) Accuse(verdict, body);
  if (verdict.SaysSize()) {
    HttpAnswer answer = Plain(verdict.status, verdict.says);
    answer.content_type = "text/x.tlog.size";
    return answer;
  }
  if (verdict.status != 200) return Plain(verdict.status, verdict.says);
  absl::StatusOr<std::string> cosignature = Cosign(verdict);
  if (cosignature.ok()) return Plain(200, *std::move(cosignature));
  LogEvent(EventLevel::kError, "witness_failed",
           {{"code", ErrorCodeOf(cosignature.status()).c_str()}});
  return Plain(503, "not now\n");
}

// On disk first: what leaves must never be forgotten. A crash in between only
// costs the log one question more.
absl::StatusOr<std::string> Witness::Cosign(const WitnessVerdict& verdict) {
  ASSIGN_OR_RETURN(const Note note, ParseNote(verdict.note));
  WitnessedLog& log = memory_.at(verdict.origin);
  if (log.note.empty() || log.checkpoint != verdict.checkpoint) {
    RETURN_IF_ERROR(folder_.Remember(verdict.origin, verdict.note));
    log.note = verdict.note;
    log.checkpoint = verdict.checkpoint;
  }
  ASSIGN_OR_RETURN(const NoteSignature cosignature,
                   CosignCheckpoint(note.text, name_, key_, clock_.Now()));
  return FormatNoteSignature(cosignature);
}

void Witness::Accuse(const WitnessVerdict& verdict,
                     absl::string_view body) const {
  const absl::StatusOr<bool> kept = folder_.KeepEvidence(
      verdict.fault, memory_.at(verdict.origin).note, verdict.note, body);
  // Once each: who shows it may show it for ever.
  if (absl::IsResourceExhausted(kept.status()) || !kept.value_or(true)) return;
  LogEvent(EventLevel::kError, "log_fault",
           {{"code", std::string(NameOf(verdict.fault)).c_str()},
            {"size", verdict.checkpoint.size},
            {"kept", kept.ok()}});
}

}  // namespace amparo::auditor
