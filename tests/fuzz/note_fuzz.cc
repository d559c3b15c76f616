#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/bytes.h"
#include "crypto/note.h"

// A note or a verifier key that parses has one spelling; verifying it never
// fails in a way that is not declared.

namespace amparo {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void TryNote(absl::string_view input) {
  static const NoteVerifier verifier = *NoteVerifier::Parse(
      "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
  const auto note = ParseNote(input);
  if (!note.ok()) {
    Require(note.status().code() == absl::StatusCode::kInvalidArgument);
    return;
  }
  Require(FormatNote(*note) == input);
  Require(IsNoteText(note->text));
  const absl::Status verified = VerifyNote(*note, verifier);
  Require(verified.ok() || verified.code() == absl::StatusCode::kNotFound ||
          verified.code() == absl::StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace amparo

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input = amparo::AsText({data, size});
  amparo::TryNote(input);
  if (const auto verifier = amparo::NoteVerifier::Parse(input); verifier.ok())
    amparo::Require(verifier->ToString() == input);
  return 0;
}
