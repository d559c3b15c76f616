#include <cstdint>

#include "proto/network/invitation.h"
#include "tests/fuzz/signed_payload.h"

// An invitation, twice: the input as a line, and as the content of one with
// fitting check digits; and a join request's payload under a good signature.

namespace amparo {
namespace {

void TryInvitation(absl::string_view line) {
  const auto invitation = ParseInvitation(line);
  if (!invitation.ok()) return;
  const std::string formatted = FormatInvitation(*invitation);
  const auto again = ParseInvitation(formatted);
  Require(again.ok() && FormatInvitation(*again) == formatted);
}

void TryRequest(absl::string_view document) {
  const auto request = VerifyJoinRequest(document);
  // Nobody else's key passes for the one that signed.
  Require(!request.ok() || request->identity_key == FuzzKey().verify_key());
}

}  // namespace
}  // namespace amparo

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  Require(InitCrypto().ok());
  const absl::string_view text = AsText({data, size});
  TryInvitation(text);
  TryInvitation(absl::StrCat("amparo1.", ToBase64Url(AsBytes(text)), ".",
                             ToHex(Sha256(text).bytes()).substr(0, 8)));
  TryRequest(SignedPayload(kJoinRequestTyp, text));
  return 0;
}
