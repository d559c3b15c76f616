#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/encoding.h"
#include "crypto/init.h"
#include "crypto/jws.h"
#include "crypto/sign.h"

// Compact JWS from strangers, twice: the input as a token, and the input as
// "header \n payload" of a token with a good signature, which reaches what lies
// behind the signature.

namespace amparo {
namespace {

constexpr char kTyp[] = "amparo-test+jwt";
constexpr size_t kSizeMax = 1 << 20;

const SigningKey& Key() {
  static const SigningKey key =
      SigningKey::FromSeed(SecretKeyBytes::CopyOf(Bytes(32, 1))).value();
  return key;
}

void VerifyOne(absl::string_view token) {
  const auto keys = [](const Digest&) { return Key().verify_key(); };
  const auto kid = PeekJwsKid(token);
  const auto typ = PeekJwsTyp(token);
  const auto payload = PeekJwsPayload(token, kSizeMax);
  const auto jws = VerifyJws(token, kTyp, keys, kSizeMax);
  if (!jws.ok()) return;
  // What is verified is what peeking shows, and nothing else is.
  if (!kid.ok() || *kid != Key().verify_key().Thumbprint() || jws->kid != *kid)
    std::abort();
  if (!typ.ok() || *typ != kTyp) std::abort();
  if (!payload.ok() || *payload != jws->payload || !payload->is_object())
    std::abort();
}

}  // namespace
}  // namespace amparo

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  static const bool ready = InitCrypto().ok();
  if (!ready) std::abort();
  const absl::string_view text = AsText({data, size});
  VerifyOne(text);
  const size_t line = text.find('\n');
  if (line == absl::string_view::npos) return 0;
  const std::string input =
      absl::StrCat(ToBase64Url(AsBytes(text.substr(0, line))), ".",
                   ToBase64Url(AsBytes(text.substr(line + 1))));
  VerifyOne(
      absl::StrCat(input, ".", ToBase64Url(SignRaw(Key(), AsBytes(input)))));
  return 0;
}
