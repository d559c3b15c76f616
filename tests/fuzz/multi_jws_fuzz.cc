#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

#include "crypto/init.h"
#include "crypto/jws.h"

// General JSON serialization from strangers: what is read is written back as it
// was, and one key never counts twice.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  constexpr char kTyp[] = "amparo-test+jwt";
  static const bool ready = InitCrypto().ok();
  if (!ready) std::abort();
  static const SigningKey key =
      SigningKey::FromSeed(SecretKeyBytes::CopyOf(Bytes(32, 1))).value();

  auto jws = ParseMultiJws(AsText({data, size}), 1 << 20);
  if (!jws.ok()) return 0;
  const std::string text = FormatMultiJws(*jws);
  const auto again = ParseMultiJws(text, text.size());
  if (!again.ok() || FormatMultiJws(*again) != text ||
      again->payload != jws->payload)
    std::abort();
  std::set<Digest> kids;
  for (size_t i = 0; i < jws->signatures.size(); ++i) {
    if (!kids.insert(jws->signatures[i].kid).second) std::abort();
    const bool good = VerifyMultiJwsEntry(*jws, i, kTyp, key.verify_key()).ok();
    if (good && jws->signatures[i].kid != key.verify_key().Thumbprint())
      std::abort();
  }
  // Signing never leaves two entries of a key.
  kids.insert(key.verify_key().Thumbprint());
  AddSignature(*jws, key, kTyp);
  if (jws->signatures.size() != kids.size()) std::abort();
  return 0;
}
