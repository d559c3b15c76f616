#include <cstdint>

#include "proto/network/charter.h"
#include "tests/fuzz/signed_payload.h"

// A charter, twice: the input as a document, and as the content of one. What
// decodes has an encoding that decodes to the same.

namespace amparo {
namespace {

void TryContent(absl::string_view text) {
  const auto json = ParseJson(text);
  if (!json.ok()) return;
  const auto charter = DecodeCharter(*json);
  if (!charter.ok()) return;
  const Json encoded = EncodeCharter(*charter);
  const auto again = DecodeCharter(encoded);
  Require(again.ok() && EncodeCharter(*again) == encoded);
  Require(charter->governance_threshold > 0);
  MultiJws jws{std::string(text), {}};
  AddSignature(jws, FuzzKey(), kCharterTyp);
  const std::string document = FormatMultiJws(jws);
  Require(PeekCharter(document).ok());
  const auto accepted = AcceptFirstCharter(document, Sha256(document), std::nullopt);
  // One signature founds a network of threshold 1 only.
  Require(!accepted.ok() || charter->governance_threshold == 1);
}

}  // namespace
}  // namespace amparo

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  Require(InitCrypto().ok());
  const absl::string_view text = AsText({data, size});
  (void)PeekCharter(text).ok();
  TryContent(text);
  return 0;
}
