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

// How one kind of signed token is peeked into, verified and made.
template <typename Content, typename Verified>
struct TokenKind {
  const char* typ;
  absl::StatusOr<Content> (*peek)(absl::string_view);
  absl::StatusOr<Verified> (*verify)(absl::string_view, const KeyLookup&);
  Content Verified::* content;
  std::string (*sign)(const Content&, const SigningKey&);
};

// The input as a token, and as the payload of a signed one: what verifies is
// what peeking shows and what signing it again makes.
template <typename Content, typename Verified>
void TryToken(const TokenKind<Content, Verified>& kind, ByteView input) {
  for (const std::string& token :
       {ToText(input), SignedPayload(kind.typ, AsText(input))}) {
    const auto peeked = kind.peek(token);
    const auto verified = kind.verify(token, FuzzKeys());
    if (!verified.ok()) continue;
    const Content& content = (*verified).*(kind.content);
    Require(peeked.ok() && *peeked == content);
    const auto again = kind.verify(kind.sign(content, FuzzKey()), FuzzKeys());
    Require(again.ok() && (*again).*(kind.content) == content);
  }
}

}  // namespace amparo
