#include <cstdint>

#include "proto/content/summary.h"
#include "tests/fuzz/signed_payload.h"

// A disclosed value, as any slot: what is valid has a valid summary, and its
// attachments can be listed.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  const auto value = ParseJson(AsText(ByteView(data, size)));
  if (!value.ok()) return 0;
  for (const Slot slot : AllSlots()) {
    if (!ValidateSlot(slot, *value).ok() || slot.summary) continue;
    (void)AttachmentsOf(*value);
    const auto summary =
        Summarize(slot.section, *value, absl::FromUnixSeconds(1795262400));
    Require(summary.has_value() == HasSummary(slot.section));
    if (summary) Require(ValidateSlot({slot.section, true}, *summary).ok());
  }
  return 0;
}
