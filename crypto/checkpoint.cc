#include "crypto/checkpoint.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/sign.h"

namespace amparo {
namespace {

constexpr size_t kTimeSize = 8;

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("not a checkpoint: ", what));
}

absl::Status Refused(absl::string_view message) {
  return MakeError(absl::StatusCode::kPermissionDenied, message,
                   {.code = "verification_failed"});
}

// Decimal digits without a sign, a blank or a leading zero.
absl::StatusOr<TreeSize> ParseSize(absl::string_view text) {
  uint64_t size = 0;
  if (!absl::SimpleAtoi(text, &size) || absl::StrCat(size) != text)
    return Malformed("bad tree size");
  return TreeSize(size);
}

// What a witness signs; the first line keeps it apart from any note.
std::string CosignedMessage(uint64_t time_s, absl::string_view note_text) {
  return absl::StrCat("cosignature/v1\ntime ", time_s, "\n", note_text);
}

absl::StatusOr<uint64_t> VerifyOne(const Note& note, const VerifyKey& key,
                                   ByteView cosignature) {
  const absl::Status refused = Refused("a cosignature does not fit");
  if (cosignature.size() != kTimeSize + Signature().size()) return refused;
  const uint64_t time_s = ReadU64(cosignature);
  if (time_s > uint64_t{std::numeric_limits<int64_t>::max()}) return refused;
  const std::string message = CosignedMessage(time_s, note.text);
  if (!VerifyStrictRaw(key, AsBytes(message), cosignature.subspan(kTimeSize))
           .ok())
    return refused;
  return time_s;
}

}  // namespace

std::string FormatCheckpoint(const Checkpoint& checkpoint) {
  std::string text =
      absl::StrCat(checkpoint.origin, "\n", checkpoint.size.value(), "\n",
                   ToBase64(checkpoint.root.bytes()), "\n");
  for (const std::string& line : checkpoint.extensions)
    absl::StrAppend(&text, line, "\n");
  return text;
}

absl::StatusOr<Checkpoint> PeekCheckpoint(absl::string_view note) {
  ASSIGN_OR_RETURN(const Note parsed, ParseNote(note));
  return ParseCheckpoint(parsed.text);
}

absl::StatusOr<Checkpoint> ParseCheckpoint(absl::string_view text) {
  if (!IsNoteText(text)) return Malformed("bad characters");
  const std::vector<absl::string_view> lines =
      absl::StrSplit(absl::StripSuffix(text, "\n"), '\n');
  if (lines.size() < 3) return Malformed("too few lines");
  for (const absl::string_view line : lines)
    if (line.empty()) return Malformed("an empty line");
  ASSIGN_OR_RETURN(const TreeSize size, ParseSize(lines[1]));
  ASSIGN_OR_RETURN(const Bytes hash, FromBase64(lines[2]));
  ASSIGN_OR_RETURN(const Digest root, Digest::FromBytes(hash));
  Checkpoint checkpoint{std::string(lines[0]), size, root, {}};
  for (size_t i = 3; i < lines.size(); ++i)
    checkpoint.extensions.emplace_back(lines[i]);
  return checkpoint;
}

absl::StatusOr<std::string> SignCheckpoint(const Checkpoint& checkpoint,
                                           const SigningKey& log_key) {
  Note note{FormatCheckpoint(checkpoint), {}};
  // A newline in the origin would sign another checkpoint than the one given.
  const absl::StatusOr<Checkpoint> read_back = ParseCheckpoint(note.text);
  if (!read_back.ok() || *read_back != checkpoint)
    return Malformed("an origin or extension that is not one line");
  RETURN_IF_ERROR(SignNote(note, checkpoint.origin, log_key));
  return FormatNote(note);
}

absl::StatusOr<Checkpoint> VerifyCheckpoint(absl::string_view note,
                                            const NoteVerifier& log) {
  ASSIGN_OR_RETURN(const Note parsed, ParseNote(note));
  RETURN_IF_ERROR(VerifyNote(parsed, log));
  ASSIGN_OR_RETURN(Checkpoint checkpoint, ParseCheckpoint(parsed.text));
  if (checkpoint.origin != log.name())
    return Refused("the checkpoint is of another log");
  return checkpoint;
}

absl::StatusOr<NoteSignature> CosignCheckpoint(absl::string_view note_text,
                                               absl::string_view witness_name,
                                               const SigningKey& witness_key,
                                               absl::Time time) {
  RETURN_IF_ERROR(ParseCheckpoint(note_text).status());
  if (time < absl::UnixEpoch() || time == absl::InfiniteFuture())
    return absl::InvalidArgumentError("no time to cosign at");
  ASSIGN_OR_RETURN(
      const NoteVerifier witness,
      NoteVerifier::Create(witness_name, NoteKeyType::kCosignatureV1,
                           witness_key.verify_key()));
  const uint64_t time_s = static_cast<uint64_t>(absl::ToUnixSeconds(time));
  const std::string message = CosignedMessage(time_s, note_text);
  NoteSignature cosignature{witness.name(), witness.key_hash(), {}};
  AppendU64(cosignature.signature, time_s);
  Append(cosignature.signature, SignRaw(witness_key, AsBytes(message)));
  return cosignature;
}

absl::StatusOr<absl::Time> VerifyCosignature(const Note& note,
                                             const NoteVerifier& witness) {
  if (witness.type() != NoteKeyType::kCosignatureV1)
    return absl::InvalidArgumentError("not a key that cosigns checkpoints");
  ASSIGN_OR_RETURN(const std::vector<ByteView> cosignatures,
                   SignaturesBy(note, witness));
  uint64_t newest_s = 0;
  for (const ByteView cosignature : cosignatures) {
    ASSIGN_OR_RETURN(const uint64_t time_s,
                     VerifyOne(note, witness.key(), cosignature));
    newest_s = std::max(newest_s, time_s);
  }
  return absl::FromUnixSeconds(static_cast<int64_t>(newest_s));
}

absl::StatusOr<std::string> TimeCheckpoint(absl::string_view note,
                                           const SigningKey& log_key,
                                           absl::Time time) {
  ASSIGN_OR_RETURN(Note timed, ParseNote(note));
  ASSIGN_OR_RETURN(const Checkpoint checkpoint, ParseCheckpoint(timed.text));
  ASSIGN_OR_RETURN(
      NoteSignature cosignature,
      CosignCheckpoint(timed.text, checkpoint.origin, log_key, time));
  timed.signatures.push_back(std::move(cosignature));
  return FormatNote(timed);
}

absl::StatusOr<absl::Time> TimeOfCheckpoint(absl::string_view note,
                                            const NoteVerifier& log) {
  RETURN_IF_ERROR(VerifyCheckpoint(note, log).status());
  ASSIGN_OR_RETURN(const Note parsed, ParseNote(note));
  ASSIGN_OR_RETURN(
      const NoteVerifier cosigner,
      NoteVerifier::Create(log.name(), NoteKeyType::kCosignatureV1, log.key()));
  return VerifyCosignature(parsed, cosigner);
}

}  // namespace amparo
