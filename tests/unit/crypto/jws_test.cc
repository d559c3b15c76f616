#include "crypto/jws.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/encoding.h"
#include "base/error.h"
#include "crypto/sign.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

using testing::AnyOf;
using testing::Eq;

constexpr char kTyp[] = "amparo-test+jwt";
constexpr size_t kSizeMax = 64 * 1024;

const auto kMalformed = StatusIs(absl::StatusCode::kInvalidArgument);
const auto kDenied = StatusIs(absl::StatusCode::kPermissionDenied);

SigningKey KeyOf(uint8_t seed) {
  return VALUE_OF(SigningKey::FromSeed(
      SecretKeyBytes::CopyOf(std::vector<uint8_t>(32, seed))));
}

std::string B64(absl::string_view text) { return ToBase64Url(AsBytes(text)); }

std::string KidOf(const SigningKey& key) {
  return ToBase64Url(key.verify_key().Thumbprint().bytes());
}

// A token of any header and payload, honestly signed: what is refused of it is
// refused for its form.
std::string Forge(const SigningKey& key, absl::string_view header,
                  absl::string_view payload) {
  const std::string input = absl::StrCat(B64(header), ".", B64(payload));
  return absl::StrCat(input, ".", ToBase64Url(SignRaw(key, AsBytes(input))));
}

class JwsTest : public testing::Test {
 protected:
  absl::StatusOr<VerifiedJws> Verify(absl::string_view token,
                                     absl::string_view typ = kTyp) {
    return VerifyJws(token, typ, Knows(key_), kSizeMax);
  }
  static KeyLookup Knows(const SigningKey& key) {
    return [&key](const Digest& kid) -> absl::StatusOr<VerifyKey> {
      if (kid != key.verify_key().Thumbprint())
        return absl::NotFoundError("no such key");
      return key.verify_key();
    };
  }
  // A header that is right, with `more` members behind.
  std::string Header(absl::string_view more = "") {
    return absl::StrCat(R"({"alg":"EdDSA","typ":")", kTyp, R"(","kid":")",
                        KidOf(key_), "\"", more, "}");
  }

  const SigningKey key_ = KeyOf(1);
  const SigningKey stranger_ = KeyOf(2);
};

TEST(Rfc8037, ExamplesOfAppendixAHold) {
  const SigningKey key = VALUE_OF(SigningKey::FromSeed(SecretKeyBytes::CopyOf(
      VALUE_OF(FromBase64Url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")))));
  EXPECT_EQ(ToBase64Url(key.verify_key().bytes()),
            "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
  EXPECT_EQ(KidOf(key), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  const std::string input = absl::StrCat(B64(R"({"alg":"EdDSA"})"), ".",
                                         B64("Example of Ed25519 signing"));
  EXPECT_EQ(input, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc");
  EXPECT_EQ(
      ToBase64Url(SignRaw(key, AsBytes(input))),
      "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVs"
      "Pt9g7sVvpAr_MuM0KAg");
}

TEST_F(JwsTest, WhatWasSignedIsVerified) {
  const Json payload = {
      {"iss", "uls"}, {"iat", 1}, {"list", {1, "é", nullptr}}};
  const VerifiedJws jws = VALUE_OF(Verify(SignJws(key_, kTyp, payload)));
  EXPECT_EQ(jws.payload, payload);
  EXPECT_EQ(jws.kid, key_.verify_key().Thumbprint());
}

TEST_F(JwsTest, HeaderHoldsAlgTypAndKid) {
  const std::string token = SignJws(key_, kTyp, Json::object());
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  EXPECT_EQ(ToText(VALUE_OF(FromBase64Url(parts[0]))), Header());
}

TEST_F(JwsTest, PeekingTellsKidTypAndPayloadOfAnUncheckedToken) {
  std::string token = SignJws(stranger_, kTyp, {{"iss", "mp"}});
  token.replace(token.rfind('.') + 1, std::string::npos, "AAAA");
  EXPECT_EQ(VALUE_OF(PeekJwsKid(token)), stranger_.verify_key().Thumbprint());
  EXPECT_EQ(VALUE_OF(PeekJwsTyp(token)), kTyp);
  EXPECT_EQ(VALUE_OF(PeekJwsPayload(token, kSizeMax))["iss"], "mp");
  EXPECT_THAT(PeekJwsPayload(token, token.size() - 1), kMalformed);
  EXPECT_THAT(PeekJwsKid("no token"), kMalformed);
  EXPECT_THAT(PeekJwsTyp("a.b.c"), kMalformed);
}

TEST_F(JwsTest, TheKeysOrderInTheHeaderIsFree) {
  EXPECT_OK(
      Verify(Forge(key_,
                   absl::StrCat(R"({"kid":")", KidOf(key_), R"(", "typ":")",
                                kTyp, R"(", "alg":"EdDSA"})"),
                   "{}")));
}

TEST_F(JwsTest, RefusesEveryOtherHeader) {
  const std::string kid = KidOf(key_);
  const std::string rest =
      absl::StrCat(R"("typ":")", kTyp, R"(","kid":")", kid, R"("})");
  const struct {
    const char* name;
    std::string header;
  } kCases[] = {
      {"alg none", R"({"alg":"none",)" + rest},
      {"alg None", R"({"alg":"None",)" + rest},
      {"alg empty", R"({"alg":"",)" + rest},
      {"alg HS256", R"({"alg":"HS256",)" + rest},
      {"alg ES256", R"({"alg":"ES256",)" + rest},
      {"alg Ed25519", R"({"alg":"Ed25519",)" + rest},
      {"alg in lower case", R"({"alg":"eddsa",)" + rest},
      {"alg not a string", R"({"alg":["EdDSA"],)" + rest},
      {"alg missing", "{" + rest},
      {"alg twice", R"({"alg":"none","alg":"EdDSA",)" + rest},
      {"alg twice, the good one first",
       R"({"alg":"EdDSA","alg":"none",)" + rest},
      {"typ missing", R"({"alg":"EdDSA","kid":")" + kid + R"("})"},
      {"typ null", R"({"alg":"EdDSA","typ":null,"kid":")" + kid + R"("})"},
      {"kid missing", R"({"alg":"EdDSA","typ":"amparo-test+jwt"})"},
      {"kid short", R"({"alg":"EdDSA","typ":"amparo-test+jwt","kid":"AAAA"})"},
      {"kid padded",
       R"({"alg":"EdDSA","typ":"amparo-test+jwt","kid":")" + kid + R"(="})"},
      {"crit", Header(R"(,"crit":["exp"])")},
      {"empty crit", Header(R"(,"crit":[])")},
      {"b64", Header(R"(,"b64":true)")},
      {"jwk", Header(R"(,"jwk":{"kty":"OKP","crv":"Ed25519","x":"AA"})")},
      {"jku", Header(R"(,"jku":"https://evil.example/keys")")},
      {"x5c", Header(R"(,"x5c":["AA"])")},
      {"x5u", Header(R"(,"x5u":"https://evil.example/keys")")},
      {"cty", Header(R"(,"cty":"JWT")")},
      {"kid twice", Header(R"(,"kid":"AAAA")")},
      {"not an object", R"(["EdDSA"])"},
      {"not json", R"(alg=EdDSA)"},
      {"trailing bytes", Header() + "x"},
      {"two values", Header() + Header()},
      {"too large", Header() + std::string(1000, ' ')},
      {"empty", ""},
  };
  for (const auto& c : kCases) {
    const std::string token = Forge(key_, c.header, "{}");
    EXPECT_THAT(Verify(token), kMalformed) << c.name;
    EXPECT_THAT(PeekJwsKid(token), kMalformed) << c.name;
  }
}

TEST_F(JwsTest, AKeyTheTokenBringsAlongIsNotUsed) {
  const std::string header =
      absl::StrCat(R"({"alg":"EdDSA","typ":")", kTyp, R"(","kid":")",
                   KidOf(key_), R"(","jwk":{"kty":"OKP","crv":"Ed25519","x":")",
                   ToBase64Url(stranger_.verify_key().bytes()), R"("}})");
  EXPECT_THAT(Verify(Forge(stranger_, header, "{}")), kMalformed);
}

TEST_F(JwsTest, RefusesAnotherTyp) {
  const std::string token = SignJws(key_, "amparo-other+jwt", Json::object());
  EXPECT_THAT(Verify(token), kDenied);
  EXPECT_THAT(Verify(SignJws(key_, "", Json::object())), kDenied);
  EXPECT_THAT(Verify(SignJws(key_, "application/amparo-test+jwt", {})),
              kDenied);
  EXPECT_OK(Verify(token, "amparo-other+jwt"));
}

TEST_F(JwsTest, AForeignKidIsWhatTheLookupSaysOfIt) {
  EXPECT_THAT(Verify(SignJws(stranger_, kTyp, Json::object())),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(JwsTest, ALookupThatAnswersWithAnotherKeyIsNotBelieved) {
  const KeyLookup careless = [&](const Digest&) -> absl::StatusOr<VerifyKey> {
    return stranger_.verify_key();
  };
  // The stranger signs under the kid of another.
  EXPECT_THAT(
      VerifyJws(Forge(stranger_, Header(), "{}"), kTyp, careless, kSizeMax),
      kDenied);
}

TEST_F(JwsTest, TheStrangersSignatureUnderOurKidIsRefused) {
  const auto verified = Verify(Forge(stranger_, Header(), "{}"));
  EXPECT_THAT(verified, kDenied);
  EXPECT_EQ(ErrorCodeOf(verified.status()), "verification_failed");
}

TEST_F(JwsTest, RefusesEveryPayloadThatIsNoObject) {
  for (const char* payload :
       {"[]", "1", "\"text\"", "null", "", "{", "{}{}", "{} x",
        R"({"a":1,"a":2})", R"({"a":{"b":1,"b":1}})", "{\"a\":\"\xff\"}"})
    EXPECT_THAT(Verify(Forge(key_, Header(), payload)), kMalformed) << payload;
  const std::string deep =
      R"({"a":)" + std::string(15, '[') + std::string(15, ']') + "}";
  EXPECT_OK(Verify(Forge(key_, Header(), deep)));
  const std::string deeper =
      R"({"a":)" + std::string(16, '[') + std::string(16, ']') + "}";
  EXPECT_THAT(Verify(Forge(key_, Header(), deeper)), kMalformed);
}

TEST_F(JwsTest, RefusesWhateverIsNotThreeParts) {
  const std::string token = SignJws(key_, kTyp, Json::object());
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), parts[0],
        parts[0] + "." + parts[1], token + ".", "." + token,
        token + "." + parts[2], parts[0] + ".." + parts[2],
        "." + parts[1] + "." + parts[2]})
    EXPECT_THAT(Verify(bad), AnyOf(kMalformed, kDenied)) << bad;
}

TEST_F(JwsTest, AStrippedSignatureIsRefused) {
  const std::string token = SignJws(key_, kTyp, Json::object());
  const std::string bare = token.substr(0, token.rfind('.') + 1);
  EXPECT_THAT(Verify(bare), kMalformed);
  EXPECT_THAT(Verify(bare + "AAAA"), kMalformed);
  EXPECT_THAT(Verify(bare + ToBase64Url(Bytes(64, 0))), kDenied);
  EXPECT_THAT(Verify(bare + ToBase64Url(Bytes(65, 0))), kMalformed);
}

TEST_F(JwsTest, HasNoSecondSpelling) {
  const std::string token = SignJws(key_, kTyp, {{"a", "+/é"}});
  for (const char* more : {"=", "==", "\n", " ", "A", "~", "."})
    EXPECT_THAT(Verify(token + more), kMalformed) << more;
  EXPECT_THAT(Verify(std::string(token) + '\0'), kMalformed);
  EXPECT_THAT(Verify(" " + token), kMalformed);
  // 64 bytes leave 4 bits over in the last character: they must be zero.
  std::string respelled = token;
  ASSERT_THAT(respelled.back(), AnyOf('A', 'Q', 'g', 'w'));
  ++respelled.back();
  EXPECT_THAT(Verify(respelled), kMalformed);
}

TEST_F(JwsTest, AnyFlippedBitIsRefused) {
  const std::string token = SignJws(key_, kTyp, {{"iss", "uls"}, {"iat", 7}});
  ASSERT_OK(Verify(token));
  for (size_t i = 0; i < token.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = token;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      ASSERT_FALSE(Verify(flipped).ok()) << "bit " << bit << " of byte " << i;
    }
}

TEST_F(JwsTest, PartsOfTwoTokensDoNotMakeAThird) {
  const std::vector<std::string> a =
      absl::StrSplit(SignJws(key_, kTyp, {{"n", 1}}), '.');
  const std::vector<std::string> b =
      absl::StrSplit(SignJws(key_, kTyp, {{"n", 2}}), '.');
  EXPECT_THAT(Verify(absl::StrCat(a[0], ".", b[1], ".", a[2])), kDenied);
  EXPECT_THAT(Verify(absl::StrCat(a[0], ".", a[1], ".", b[2])), kDenied);
}

TEST_F(JwsTest, RefusesATokenBeyondItsSizeUnread) {
  const std::string token = SignJws(key_, kTyp, Json::object());
  EXPECT_OK(VerifyJws(token, kTyp, Knows(key_), token.size()));
  const auto refused = VerifyJws(token, kTyp, Knows(key_), token.size() - 1);
  EXPECT_THAT(refused, kMalformed);
  EXPECT_EQ(ErrorCodeOf(refused.status()), "too_large");
}

TEST_F(JwsTest, ErrorsDoNotQuoteTheToken) {
  const auto refused = Verify(Forge(key_, Header(), R"({"given_name":"Marta)"));
  EXPECT_EQ(std::string(refused.status().message()).find("Marta"),
            std::string::npos);
}

// ---- several signatures

class MultiJwsTest : public JwsTest {
 protected:
  MultiJws Signed(const std::vector<const SigningKey*>& keys) {
    MultiJws jws{R"({"version":2})", {}};
    for (const SigningKey* key : keys) AddSignature(jws, *key, kTyp);
    return jws;
  }
  static Json TextAsJson(const MultiJws& jws) {
    return VALUE_OF(ParseJson(FormatMultiJws(jws)));
  }
  static absl::StatusOr<MultiJws> Parse(const Json& json) {
    return ParseMultiJws(DumpJson(json), kSizeMax);
  }
};

TEST_F(MultiJwsTest, EachSignatureIsVerifiedByItsKeyAlone) {
  const MultiJws jws = VALUE_OF(
      ParseMultiJws(FormatMultiJws(Signed({&key_, &stranger_})), kSizeMax));
  EXPECT_EQ(jws.payload, R"({"version":2})");
  ASSERT_EQ(jws.signatures.size(), 2u);
  EXPECT_EQ(jws.signatures[1].kid, stranger_.verify_key().Thumbprint());
  EXPECT_OK(VerifyMultiJwsEntry(jws, 0, kTyp, key_.verify_key()));
  EXPECT_OK(VerifyMultiJwsEntry(jws, 1, kTyp, stranger_.verify_key()));
  EXPECT_THAT(VerifyMultiJwsEntry(jws, 0, kTyp, stranger_.verify_key()),
              kDenied);
  EXPECT_THAT(VerifyMultiJwsEntry(jws, 0, "other", key_.verify_key()), kDenied);
  EXPECT_THAT(VerifyMultiJwsEntry(jws, 2, kTyp, key_.verify_key()), kMalformed);
}

TEST_F(MultiJwsTest, OneSignatureIsThatOfTheCompactForm) {
  const MultiJws jws = Signed({&key_});
  const std::string token =
      absl::StrCat(jws.signatures[0].protected_header, ".", B64(jws.payload),
                   ".", ToBase64Url(jws.signatures[0].signature));
  EXPECT_OK(Verify(token));
}

TEST_F(MultiJwsTest, ThePayloadIsKeptAsItWasSigned) {
  MultiJws jws{"{ \"b\":1,\n \"a\":1.50 }", {}};
  AddSignature(jws, key_, kTyp);
  const MultiJws read = VALUE_OF(ParseMultiJws(FormatMultiJws(jws), kSizeMax));
  EXPECT_EQ(read.payload, jws.payload);
  EXPECT_OK(VerifyMultiJwsEntry(read, 0, kTyp, key_.verify_key()));
  EXPECT_EQ(FormatMultiJws(read), FormatMultiJws(jws));
}

TEST_F(MultiJwsTest, SigningAgainReplacesTheSignature) {
  MultiJws jws = Signed({&key_, &stranger_});
  jws.payload = R"({"version":3})";
  AddSignature(jws, key_, kTyp);
  ASSERT_EQ(jws.signatures.size(), 2u);
  EXPECT_OK(VerifyMultiJwsEntry(jws, 0, kTyp, key_.verify_key()));
  EXPECT_THAT(VerifyMultiJwsEntry(jws, 1, kTyp, stranger_.verify_key()),
              kDenied);
}

TEST_F(MultiJwsTest, OneKeyDoesNotCountTwice) {
  MultiJws jws = Signed({&key_, &stranger_});
  jws.signatures.push_back(jws.signatures[0]);
  EXPECT_THAT(ParseMultiJws(FormatMultiJws(jws), kSizeMax), kMalformed);
  // Nor by another spelling of the same header.
  jws.signatures.pop_back();
  const std::string header = B64(Header() + " ");
  const std::string input = absl::StrCat(header, ".", B64(jws.payload));
  jws.signatures[1] = {header, key_.verify_key().Thumbprint(),
                       ToBytes(SignRaw(key_, AsBytes(input)))};
  EXPECT_OK(VerifyMultiJwsEntry(jws, 1, kTyp, key_.verify_key()));
  EXPECT_THAT(ParseMultiJws(FormatMultiJws(jws), kSizeMax), kMalformed);
}

TEST_F(MultiJwsTest, AnEntryThatNamesAnotherKidIsRefused) {
  MultiJws jws = Signed({&key_});
  jws.signatures[0].kid = stranger_.verify_key().Thumbprint();
  EXPECT_THAT(VerifyMultiJwsEntry(jws, 0, kTyp, key_.verify_key()), kDenied);
  EXPECT_THAT(VerifyMultiJwsEntry(jws, 0, kTyp, stranger_.verify_key()),
              kDenied);
}

TEST_F(MultiJwsTest, AnyFlippedBitIsRefused) {
  const std::string text = FormatMultiJws(Signed({&key_}));
  for (size_t i = 0; i < text.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = text;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      const auto jws = ParseMultiJws(flipped, kSizeMax);
      ASSERT_FALSE(jws.ok() &&
                   VerifyMultiJwsEntry(*jws, 0, kTyp, key_.verify_key()).ok())
          << "bit " << bit << " of byte " << i;
    }
}

TEST_F(MultiJwsTest, RefusesWhatTheFormDoesNotHave) {
  const Json good = TextAsJson(Signed({&key_}));
  ASSERT_OK(Parse(good));
  const auto with = [&](const char* pointer, Json value) {
    Json json = good;
    json[Json::json_pointer(pointer)] = std::move(value);
    return json;
  };
  const auto without = [&](const char* key) {
    Json json = good;
    json.erase(key);
    return json;
  };
  const Json header = {{"kid", "x"}};
  const std::vector<std::pair<const char*, Json>> cases = {
      {"unknown member", with("/more", 1)},
      {"unprotected header", with("/signatures/0/header", header)},
      {"unknown member of a signature", with("/signatures/0/more", 1)},
      {"flattened form", with("/signature", "AA")},
      {"no payload", without("payload")},
      {"no signatures", without("signatures")},
      {"empty signatures", with("/signatures", Json::array())},
      {"signatures not a list", with("/signatures", Json::object())},
      {"an entry not an object", with("/signatures/0", "x")},
      {"payload not a string", with("/payload", 1)},
      {"payload padded", with("/payload", "e30=")},
      {"payload not an object", with("/payload", B64("[]"))},
      {"payload with a key twice", with("/payload", B64(R"({"a":1,"a":1})"))},
      {"short signature", with("/signatures/0/signature", "AAAA")},
      {"signature not a string", with("/signatures/0/signature", 1)},
      {"empty protected", with("/signatures/0/protected", "")},
      {"protected none",
       with("/signatures/0/protected", B64(R"({"alg":"none"})"))},
      {"not an object", Json::array()},
  };
  for (const auto& [name, json] : cases)
    EXPECT_THAT(Parse(json), kMalformed) << name;
  const std::string text = DumpJson(good);
  EXPECT_THAT(ParseMultiJws(text + "x", kSizeMax), kMalformed);
  EXPECT_THAT(ParseMultiJws(text, text.size() - 1), kMalformed);
  EXPECT_THAT(
      ParseMultiJws(R"({"payload":"e30","payload":"e30","signatures":[]})",
                    kSizeMax),
      kMalformed);
}

}  // namespace
}  // namespace amparo
