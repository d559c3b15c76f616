#pragma once

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/encoding.h"
#include "crypto/init.h"
#include "crypto/jws.h"
#include "crypto/sign.h"

// For fuzz targets behind a signature: a key that anyone may know, and tokens
// whose payload is the fuzzer's input.

namespace amparo {

inline void Require(bool holds) {
  if (!holds) std::abort();
}

inline const SigningKey& FuzzKey() {
  static const SigningKey key = [] {
    Require(InitCrypto().ok());
    return SigningKey::FromSeed(SecretKeyBytes::CopyOf(Bytes(32, 1))).value();
  }();
  return key;
}

inline KeyLookup FuzzKeys() {
  return [](const Digest&) { return FuzzKey().verify_key(); };
}

// A token with a good signature over whatever `payload` is.
inline std::string SignedPayload(absl::string_view typ,
                                 absl::string_view payload) {
  const std::string empty = SignJws(FuzzKey(), typ, Json::object());
  const std::string input = absl::StrCat(empty.substr(0, empty.find('.') + 1),
                                         ToBase64Url(AsBytes(payload)));
  return absl::StrCat(input, ".",
                      ToBase64Url(SignRaw(FuzzKey(), AsBytes(input))));
}

}  // namespace amparo
