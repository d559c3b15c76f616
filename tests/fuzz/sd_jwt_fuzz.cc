#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/encoding.h"
#include "crypto/init.h"
#include "crypto/sd_jwt.h"

// SD-JWT from strangers, twice: the input as the standard's serialization, and
// the input as lines: the payload, which an issuer signs, then disclosures as
// JSON. "@2" in the payload stands for the digest of the third disclosure.

namespace amparo {
namespace {

constexpr char kTyp[] = "amparo-test+sd-jwt";
constexpr size_t kSizeMax = 1 << 20;

const SigningKey& Key() {
  static const SigningKey key =
      SigningKey::FromSeed(SecretKeyBytes::CopyOf(Bytes(32, 1))).value();
  return key;
}

void VerifyOne(absl::string_view jwt,
               const std::vector<Disclosure>& disclosures) {
  const auto keys = [](const Digest&) { return Key().verify_key(); };
  const auto verified = VerifySdJwt(jwt, disclosures, kTyp, keys, kSizeMax);
  if (!verified.ok()) return;
  if (verified->values.size() != disclosures.size()) std::abort();
  const auto clean = [](const Json& value) {
    const std::string text = DumpJson(value);
    return !absl::StrContains(text, "\"_sd\":") &&
           !absl::StrContains(text, "\"...\":");
  };
  if (!clean(verified->claims)) std::abort();
  for (const auto& [name, value] : verified->values)
    if (!clean(value) || verified->claims.contains(name)) std::abort();
}

void VerifyLines(absl::string_view text) {
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  std::string payload = lines[0];
  std::vector<Disclosure> disclosures;
  for (size_t i = 1; i < lines.size() && i <= 10; ++i) {
    disclosures.push_back(ToBase64Url(AsBytes(lines[i])));
    const std::string digest = ToBase64Url(Sha256(disclosures.back()).bytes());
    absl::StrReplaceAll({{absl::StrCat("@", i - 1), digest}}, &payload);
  }
  const auto json = ParseJson(payload);
  if (json.ok()) VerifyOne(SignJws(Key(), kTyp, *json), disclosures);
}

}  // namespace
}  // namespace amparo

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  static const bool ready = InitCrypto().ok();
  if (!ready) std::abort();
  const absl::string_view text = AsText({data, size});
  if (const auto parsed = ParseSdJwt(text, kSizeMax); parsed.ok()) {
    if (SerializeSdJwt(parsed->jwt, parsed->disclosures) != text) std::abort();
    VerifyOne(parsed->jwt, parsed->disclosures);
  }
  VerifyLines(text);
  return 0;
}
