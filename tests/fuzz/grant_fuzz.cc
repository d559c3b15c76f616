#include <cstdint>
#include <string>

#include "crypto/sd_jwt.h"
#include "proto/content/grant.h"
#include "proto/envelope/limits.h"
#include "tests/fuzz/signed_payload.h"

// A grant by a dishonest issuer: its claims are the input as far as a line of
// three dashes, its one provision what follows.

namespace amparo {
namespace {

void Check(const std::string& jwt, const std::vector<Disclosure>& disclosures) {
  const auto grant = VerifyGrant(jwt, disclosures, FuzzKeys());
  if (!grant.ok()) return;
  const auto loaded = LoadGrant(jwt, disclosures);
  Require(loaded.ok() && loaded->digest == grant->digest);
  Require(grant->disclosures() == disclosures);
  for (const MemberKind kind : AllMemberKinds())
    Require(DisclosuresFor(*grant, grant->issuer, kind).size() <=
            disclosures.size());
}

}  // namespace
}  // namespace amparo

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  const absl::string_view input = AsText(ByteView(data, size));
  const size_t cut = input.find("\n---\n");
  if (cut == absl::string_view::npos) {
    Check(SignedPayload(kGrantTyp, input), {});
    return 0;
  }
  const auto claims = ParseJson(input.substr(0, cut));
  const auto provision = ParseJson(input.substr(cut + 5));
  if (!claims.ok() || !provision.ok()) return 0;
  const auto issued = IssueSet(FuzzKey(), kGrantTyp, *claims, {*provision});
  if (!issued.ok()) return 0;
  Check(issued->sd_jwt.jwt, {issued->sd_jwt.disclosures.begin()->second});
  return 0;
}
