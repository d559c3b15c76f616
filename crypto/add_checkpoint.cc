#include "crypto/add_checkpoint.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/encoding.h"
#include "base/status.h"
#include "crypto/checkpoint.h"

namespace amparo {
namespace {

constexpr absl::string_view kOld = "old ";

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("not an add-checkpoint request: ", what));
}

// Takes the next line off `text`, without its newline.
absl::StatusOr<absl::string_view> TakeLine(absl::string_view& text) {
  const size_t end = text.find('\n');
  if (end == absl::string_view::npos) return Malformed("a line has no end");
  const absl::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

absl::StatusOr<TreeSize> ParseSize(absl::string_view digits) {
  uint64_t size = 0;
  if (!absl::SimpleAtoi(digits, &size) || absl::StrCat(size) != digits)
    return Malformed("bad size of a tree");
  return TreeSize(size);
}

}  // namespace

std::string FormatAddCheckpoint(const AddCheckpoint& request) {
  std::string body = absl::StrCat(kOld, request.old_size.value(), "\n");
  for (const Digest& hash : request.proof)
    absl::StrAppend(&body, ToBase64(hash.bytes()), "\n");
  return absl::StrCat(body, "\n", request.note);
}

absl::StatusOr<AddCheckpoint> ParseAddCheckpoint(absl::string_view body) {
  if (body.size() > kAddCheckpointBytesMax) return Malformed("too large");
  ASSIGN_OR_RETURN(absl::string_view line, TakeLine(body));
  if (!absl::ConsumePrefix(&line, kOld)) return Malformed("no old size");
  AddCheckpoint request;
  ASSIGN_OR_RETURN(request.old_size, ParseSize(line));
  for (;;) {
    ASSIGN_OR_RETURN(line, TakeLine(body));
    if (line.empty()) break;
    if (request.proof.size() == kWitnessProofHashesMax)
      return Malformed("too many hashes");
    const absl::StatusOr<Bytes> bytes = FromBase64(line);
    if (!bytes.ok()) return Malformed("a hash is not base64");
    const absl::StatusOr<Digest> hash = Digest::FromBytes(*bytes);
    if (!hash.ok()) return Malformed("a hash is of another size");
    request.proof.push_back(*hash);
  }
  const size_t blank = body.rfind("\n\n");
  if (!IsNoteText(body) || blank == absl::string_view::npos ||
      blank + 2 == body.size())
    return Malformed("no signed note");
  const absl::string_view signatures = body.substr(blank + 2);
  if (std::count(signatures.begin(), signatures.end(), '\n') >
      static_cast<ptrdiff_t>(kAddCheckpointSignaturesMax))
    return Malformed("too many signatures");
  RETURN_IF_ERROR(ParseCheckpoint(body.substr(0, blank + 1)).status());
  request.note = std::string(body);
  return request;
}

std::string FormatWitnessSize(TreeSize size) {
  return absl::StrCat(size.value(), "\n");
}

absl::StatusOr<TreeSize> ParseWitnessSize(absl::string_view body) {
  if (!absl::ConsumeSuffix(&body, "\n")) return Malformed("a line has no end");
  return ParseSize(body);
}

}  // namespace amparo
