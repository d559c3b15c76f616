#include "crypto/tlog_proof.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/encoding.h"
#include "base/status.h"
#include "crypto/note.h"

namespace amparo {
namespace {

constexpr absl::string_view kFirstLine = "c2sp.org/tlog-proof@v1";
constexpr absl::string_view kExtra = "extra ";
constexpr absl::string_view kIndex = "index ";

absl::Status Malformed() {
  return absl::InvalidArgumentError("not a tlog-proof");
}

// The next line without its newline, taken off `text`.
absl::StatusOr<absl::string_view> TakeLine(absl::string_view& text) {
  const size_t end = text.find('\n');
  if (end == absl::string_view::npos) return Malformed();
  const absl::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

absl::StatusOr<TlogProof> Parse(absl::string_view text) {
  TlogProof proof;
  ASSIGN_OR_RETURN(absl::string_view line, TakeLine(text));
  if (line != kFirstLine) return Malformed();
  ASSIGN_OR_RETURN(line, TakeLine(text));
  if (absl::StartsWith(line, kExtra)) {
    ASSIGN_OR_RETURN(proof.extra, FromBase64(line.substr(kExtra.size())));
    if (proof.extra.empty()) return Malformed();
    ASSIGN_OR_RETURN(line, TakeLine(text));
  }
  uint64_t index = 0;
  if (!absl::StartsWith(line, kIndex) ||
      !absl::SimpleAtoi(line.substr(kIndex.size()), &index))
    return Malformed();
  proof.index = LeafIndex(index);
  while (true) {
    ASSIGN_OR_RETURN(line, TakeLine(text));
    if (line.empty()) break;
    if (proof.hashes.size() == kProofHashesMax) return Malformed();
    ASSIGN_OR_RETURN(const Bytes bytes, FromBase64(line));
    ASSIGN_OR_RETURN(proof.hashes.emplace_back(), Digest::FromBytes(bytes));
  }
  proof.checkpoint = std::string(text);
  RETURN_IF_ERROR(ParseNote(proof.checkpoint).status());
  return proof;
}

}  // namespace

std::string FormatTlogProof(const TlogProof& proof) {
  std::string text = absl::StrCat(kFirstLine, "\n");
  if (!proof.extra.empty())
    absl::StrAppend(&text, kExtra, ToBase64(proof.extra), "\n");
  absl::StrAppend(&text, kIndex, proof.index.value(), "\n");
  for (const Digest& hash : proof.hashes)
    absl::StrAppend(&text, ToBase64(hash.bytes()), "\n");
  return absl::StrCat(text, "\n", proof.checkpoint);
}

absl::StatusOr<TlogProof> ParseTlogProof(absl::string_view text) {
  absl::StatusOr<TlogProof> proof = Parse(text);
  // One spelling only: a number with a plus or a zero in front is another.
  if (!proof.ok() || FormatTlogProof(*proof) != text) return Malformed();
  return proof;
}

}  // namespace amparo
