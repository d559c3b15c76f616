#include <cstdint>

#include "proto/network/ca_note.h"
#include "proto/network/certificate_request.h"
#include "tests/fuzz/signed_payload.h"

// A CA note: the input as it is, and as the text under a good signature. What
// is taken says the same when it is signed again. And a certificate request's
// payload.

namespace amparo {
namespace {

void TryNote(absl::string_view input) {
  static const NoteVerifier verifier = *NoteVerifier::Create(
      "net", NoteKeyType::kEd25519, FuzzKey().verify_key());
  const auto told =
      VerifyCaNote(input, "net", {verifier}, absl::InfiniteFuture());
  if (!told.ok()) return;
  const auto again = SignCaNote(*told, {&FuzzKey()});
  Require(again.ok() && ParseNote(*again)->text == ParseNote(input)->text);
}

}  // namespace
}  // namespace amparo

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  Require(InitCrypto().ok());
  const absl::string_view text = AsText({data, size});
  TryNote(text);
  Note note{std::string(text), {}};
  if (SignNote(note, "net", FuzzKey()).ok()) TryNote(FormatNote(note));
  const auto request = VerifyCertificateRequest(
      SignedPayload(kCertificateRequestTyp, text), FuzzKey().verify_key());
  Require(!request.ok() || !request->member.text().empty());
  return 0;
}
