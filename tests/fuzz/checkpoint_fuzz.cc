#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "crypto/checkpoint.h"

// A checkpoint that parses has one spelling, alone and as the text of a note;
// a cosignature is accepted or refused in the ways that are declared.

namespace amparo {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void TryBody(absl::string_view input) {
  const auto checkpoint = ParseCheckpoint(input);
  if (checkpoint.ok()) Require(FormatCheckpoint(*checkpoint) == input);
}

void TrySigned(absl::string_view input) {
  static const NoteVerifier log = *NoteVerifier::Parse(
      "example.com/log/testdata+33d7b496+"
      "AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx");
  static const NoteVerifier witness = *NoteVerifier::Parse(
      "witness.example.org+b8a2cf20+"
      "BFLN3yikSfFkVAJtrnh/CiY3Zozkoy7clp+P7XB28qUN");
  const auto checkpoint = VerifyCheckpoint(input, log);
  if (checkpoint.ok()) Require(checkpoint->origin == log.name());
  const auto note = ParseNote(input);
  if (!note.ok()) return;
  const auto time = VerifyCosignature(*note, witness);
  Require(time.ok() || time.status().code() == absl::StatusCode::kNotFound ||
          time.status().code() == absl::StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace amparo

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input = amparo::AsText({data, size});
  amparo::TryBody(input);
  amparo::TrySigned(input);
  return 0;
}
