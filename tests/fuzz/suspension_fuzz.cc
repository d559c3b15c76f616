#include <cstdint>

#include "proto/network/suspension.h"
#include "tests/fuzz/signed_payload.h"

// A suspension, twice: the input as a document, and as the content of one. What
// decodes has an encoding that decodes to the same.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  Require(InitCrypto().ok());
  const absl::string_view text = AsText({data, size});
  (void)PeekSuspension(text).ok();
  const auto json = ParseJson(text);
  if (!json.ok()) return 0;
  const auto suspension = DecodeSuspension(*json);
  if (!suspension.ok()) return 0;
  Require(suspension->until > suspension->from);
  Require(suspension->until - suspension->from <= kSuspensionLifeMax);
  const Json encoded = EncodeSuspension(*suspension);
  const auto again = DecodeSuspension(encoded);
  Require(again.ok() && EncodeSuspension(*again) == encoded);
  MultiJws jws{std::string(text), {}};
  AddSignature(jws, FuzzKey(), kSuspensionTyp);
  const std::string document = FormatMultiJws(jws);
  Require(document.size() > kSuspensionBytesMax ||
          PeekSuspension(document).ok());
  return 0;
}
