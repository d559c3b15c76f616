#include <cstdint>

#include "proto/network/key_event.h"
#include "tests/fuzz/signed_payload.h"

// A key event, twice: the input as a document, and as the payload of one. What
// is read is what signing it again makes.

namespace amparo {
namespace {

void Try(absl::string_view document) {
  const auto event = PeekKeyEvent(document);
  if (!event.ok()) return;
  const auto again = PeekKeyEvent(SignKeyEvent(*event, FuzzKey()));
  Require(again.ok() && again->key == event->key && again->seq == event->seq &&
          again->kind == event->kind && again->until == event->until &&
          again->vouched_by_old == event->vouched_by_old);
  Require(!VerifyVouch(*event, FuzzKey().verify_key()).ok() ||
          event->vouched_by_old.has_value());
}

}  // namespace
}  // namespace amparo

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  Require(InitCrypto().ok());
  const absl::string_view text = AsText({data, size});
  Try(text);
  Try(SignedPayload(kKeyEventTyp, text));
  return 0;
}
