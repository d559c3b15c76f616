#include <cstdint>

#include "proto/content/event_document.h"
#include "proto/content/referral_document.h"
#include "proto/content/revocation.h"
#include "proto/content/without_consent.h"
#include "tests/fuzz/signed_payload.h"

// Documents of a case by a dishonest member: the input is what was signed, as
// each type in turn. A plain event that is read can be signed again the same.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  const absl::string_view claims = AsText(ByteView(data, size));
  const auto event = VerifyEvent(SignedPayload(kEventTyp, claims), FuzzKeys());
  if (event.ok()) {
    const auto again = SignEvent(*event, FuzzKey());
    Require(again.ok());
    const auto read = VerifyEvent(*again, FuzzKeys());
    Require(read.ok() && *read == *event);
  }
  (void)VerifyRevocation(SignedPayload(kRevocationTyp, claims), FuzzKeys());
  const auto basis = VerifyWithoutConsent(
      SignedPayload(kWithoutConsentTyp, claims), FuzzKeys());
  if (basis.ok()) Require(LoadWithoutConsent(basis->token).ok());
  const auto referral =
      VerifyReferral(SignedPayload(kReferralTyp, claims), {}, FuzzKeys());
  if (referral.ok()) Require(referral->values.empty());
  return 0;
}
