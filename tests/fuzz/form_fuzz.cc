#include <cstdint>

#include "proto/content/consent_form.h"
#include "proto/content/referral_form.h"
#include "proto/content/summary.h"
#include "proto/content/without_consent.h"
#include "tests/fuzz/signed_payload.h"

// Forms as officers type them: what is taken can be summarized and signed, and
// is stored and read back the same.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  const absl::string_view text = AsText(ByteView(data, size));
  if (const auto form = ParseReferralForm(text); form.ok())
    for (const auto& [slot, value] :
         SlotValues(form->sections, absl::FromUnixSeconds(1795262400)))
      Require(ValidateSlot(slot, value).ok());
  (void)ParseUpdateForm(text);
  (void)ParseReasonForm(text);
  if (const auto form = ParseConsentForm(text); form.ok()) {
    const Json json = EncodeConsentForm(*form);
    const auto stored = DecodeConsentForm(json);
    Require(stored.ok() && EncodeConsentForm(*stored) == json);
    Require(ParseConsentForm(DumpJson(json)).ok());
  }
  return 0;
}
