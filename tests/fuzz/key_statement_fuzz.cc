#include <cstdint>

#include "agents/committee/key_statement.h"
#include "tests/fuzz/signed_payload.h"

// The input as the public half of a governance key, and as the payload of one
// under a good signature by a known key.

namespace amparo::committee {
namespace {

void TryDocument(absl::string_view document) {
  const auto statement = VerifyKeyStatement(document);
  Require(!statement.ok() || ParseKeyId(statement->id).ok());
}

void TryPayload(absl::string_view payload) {
  const auto statement =
      VerifyKeyStatement(SignedPayload(kGovernanceKeyTyp, payload));
  if (!statement.ok()) return;
  // Nobody else's key passes for the one that signed.
  Require(statement->key == FuzzKey().verify_key());
  Require(VerifyKeyStatement(SignKeyStatement(*statement, FuzzKey())).ok());
}

}  // namespace
}  // namespace amparo::committee

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  Require(InitCrypto().ok());
  const absl::string_view text = AsText({data, size});
  committee::TryDocument(text);
  committee::TryPayload(text);
  return 0;
}
