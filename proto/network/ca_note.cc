#include "proto/network/ca_note.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/x509.h"

namespace amparo {
namespace {

// No checkpoint begins like this: its first line is a network's name, which has
// no slash.
constexpr char kFirstLine[] = "amparo/v1/ca";
constexpr size_t kTextBytesMax = 16 << 10;
constexpr uint64_t kNumberMax = 253402300799;  // the end of the year 9999
constexpr absl::Duration kNumberAhead = absl::Hours(24);

absl::Status Malformed() {
  return absl::InvalidArgumentError("not a note about a network's ca");
}

absl::Status Refused() {
  return MakeError(absl::StatusCode::kPermissionDenied,
                   "the note about the network's ca is not by its log's key",
                   {.code = "verification_failed"});
}

absl::StatusOr<Bytes> ParseCertificate(absl::string_view line) {
  ASSIGN_OR_RETURN(Bytes der, FromBase64Url(line));
  RETURN_IF_ERROR(CertificatePem(der).status());
  return der;
}

absl::StatusOr<CaNote> ParseText(const std::string& text) {
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  // The text ends with a newline.
  if (lines.size() < 5 || lines.size() > 6 || lines[0] != kFirstLine)
    return Malformed();
  CaNote note{.network = lines[1]};
  if (!absl::SimpleAtoi(lines[2], &note.number) || note.number == 0 ||
      note.number > kNumberMax || absl::StrCat(note.number) != lines[2])
    return Malformed();
  ASSIGN_OR_RETURN(note.ca_der, ParseCertificate(lines[3]));
  if (lines.size() == 6) {
    ASSIGN_OR_RETURN(note.next_ca_der, ParseCertificate(lines[4]));
  }
  return note;
}

}  // namespace

absl::StatusOr<std::string> SignCaNote(
    const CaNote& note, const std::vector<const SigningKey*>& log_keys) {
  Note signed_note{
      absl::StrCat(kFirstLine, "\n", note.network, "\n", note.number, "\n",
                   ToBase64Url(note.ca_der), "\n",
                   note.next_ca_der
                       ? absl::StrCat(ToBase64Url(*note.next_ca_der), "\n")
                       : ""),
      {}};
  for (const SigningKey* key : log_keys)
    RETURN_IF_ERROR(SignNote(signed_note, note.network, *key));
  return FormatNote(signed_note);
}

absl::StatusOr<CaNote> VerifyCaNote(absl::string_view text,
                                    absl::string_view network,
                                    const std::vector<NoteVerifier>& log_keys,
                                    absl::Time now) {
  if (text.size() > kTextBytesMax) return Malformed();
  ASSIGN_OR_RETURN(const Note note, ParseNote(text));
  bool is_signed = false;
  for (const NoteVerifier& key : log_keys) {
    const absl::Status status = VerifyNote(note, key);
    if (absl::IsPermissionDenied(status)) return Refused();
    is_signed = is_signed || status.ok();
  }
  if (!is_signed) return Refused();
  ASSIGN_OR_RETURN(CaNote told, ParseText(note.text));
  if (told.network != network) return Refused();
  if (told.number > static_cast<uint64_t>(UnixSeconds(now + kNumberAhead)))
    return MakeError(absl::StatusCode::kPermissionDenied,
                     "the note about the network's ca is of a time to come",
                     {.code = "verification_failed",
                      .hint = "compare this machine's clock and the broker's"});
  return told;
}

absl::StatusOr<CaNote> ParseCaNote(absl::string_view text) {
  if (text.size() > kTextBytesMax) return Malformed();
  ASSIGN_OR_RETURN(const Note note, ParseNote(text));
  return ParseText(note.text);
}

absl::StatusOr<std::string> CaBundle(ByteView ca_der,
                                     const std::optional<Bytes>& next_ca_der) {
  ASSIGN_OR_RETURN(std::string bundle, CertificatePem(ca_der));
  if (!next_ca_der.has_value()) return bundle;
  ASSIGN_OR_RETURN(const std::string next, CertificatePem(*next_ca_der));
  return bundle + next;
}

}  // namespace amparo
