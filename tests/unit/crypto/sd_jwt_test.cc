#include "crypto/sd_jwt.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/encoding.h"
#include "base/error.h"
#include "crypto/random.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kTyp[] = "amparo-test+sd-jwt";
constexpr size_t kSizeMax = 64 * 1024;

const auto kMalformed = StatusIs(absl::StatusCode::kInvalidArgument);
const auto kDenied = StatusIs(absl::StatusCode::kPermissionDenied);

SigningKey KeyOf(uint8_t seed) {
  return VALUE_OF(SigningKey::FromSeed(
      SecretKeyBytes::CopyOf(std::vector<uint8_t>(32, seed))));
}

Disclosure Encode(const Json& array) {
  return ToBase64Url(AsBytes(DumpJson(array)));
}
Json Decode(const Disclosure& disclosure) {
  return VALUE_OF(ParseJson(AsText(VALUE_OF(FromBase64Url(disclosure)))));
}
std::string DigestOf(const Disclosure& disclosure) {
  return ToBase64Url(Sha256(disclosure).bytes());
}
std::string Salt() { return ToBase64Url(RandomBytes(32)); }
Json DigestHolder(std::vector<std::string> digests) {
  Json holder = Json::object();
  holder["_sd"] = std::move(digests);
  return holder;
}

class SdJwtTest : public testing::Test {
 protected:
  absl::StatusOr<VerifiedSdJwt> Verify(
      absl::string_view jwt, const std::vector<Disclosure>& disclosures = {}) {
    const KeyLookup keys =
        [this](const Digest& kid) -> absl::StatusOr<VerifyKey> {
      if (kid != key_.verify_key().Thumbprint())
        return absl::NotFoundError("no such key");
      return key_.verify_key();
    };
    return VerifySdJwt(jwt, disclosures, kTyp, keys, kSizeMax);
  }
  // What an issuer could sign who does not keep to the rules.
  std::string Sign(const Json& payload) { return SignJws(key_, kTyp, payload); }
  static Json PayloadOf(const std::string& jwt) {
    return VALUE_OF(PeekJwsPayload(jwt, kSizeMax));
  }

  const SigningKey key_ = KeyOf(1);
  const Json claims_ = {{"iss", "ong"}, {"iat", 7}, {"kind", "referral"}};
};

// ---- slots

class SlotsTest : public SdJwtTest {
 protected:
  IssuedSdJwt Issue(const std::map<std::string, Json>& values) {
    return VALUE_OF(IssueSlots(key_, kTyp, claims_, names_, values));
  }
  // A payload whose slot "identity" holds the digest of `disclosure`.
  Json PayloadWith(const Disclosure& disclosure) {
    Json payload = claims_;
    payload["_sd_alg"] = "sha-256";
    payload["sections"]["identity"] = DigestHolder({DigestOf(disclosure)});
    return payload;
  }

  const std::vector<std::string> names_ = {"identity", "risk", "children"};
  const Json identity_ = {{"given_name", "Marta"}, {"languages", {"pt"}}};
  const Json children_ = Json::array({{{"pseudonym", "C1"}}});
  const std::map<std::string, Json> values_ = {{"identity", identity_},
                                               {"children", children_}};
};

TEST_F(SlotsTest, ARecipientGetsWhatWasDisclosedToItAndNothingElse) {
  const IssuedSdJwt issued = Issue(values_);
  const VerifiedSdJwt verified =
      VALUE_OF(Verify(issued.jwt, {issued.disclosures.at("children")}));
  EXPECT_EQ(verified.claims, claims_);
  EXPECT_EQ(verified.kid, key_.verify_key().Thumbprint());
  EXPECT_EQ(verified.values.size(), 1u);
  EXPECT_EQ(verified.values.at("children"), children_);
  EXPECT_EQ(verified.slots, names_);
  EXPECT_EQ(issued.jwt.find("Marta"), std::string::npos);
}

TEST_F(SlotsTest, EverySubsetOfTheDisclosuresIsVerified) {
  const IssuedSdJwt issued = Issue(
      {{"identity", identity_}, {"risk", "high"}, {"children", children_}});
  for (unsigned subset = 0; subset < 8; ++subset) {
    std::vector<Disclosure> disclosures;
    std::set<std::string> expected, found;
    for (size_t i = 0; i < names_.size(); ++i)
      if (subset & (1u << i)) {
        disclosures.push_back(issued.disclosures.at(names_[i]));
        expected.insert(names_[i]);
      }
    std::reverse(disclosures.begin(), disclosures.end());  // any order
    for (const auto& [name, unused] :
         VALUE_OF(Verify(issued.jwt, disclosures)).values)
      found.insert(name);
    EXPECT_EQ(found, expected);
  }
}

TEST_F(SlotsTest, TheSignedFormIsThatOfTheProtocol) {
  const IssuedSdJwt issued = Issue(values_);
  const Json payload = PayloadOf(issued.jwt);
  EXPECT_EQ(payload["_sd_alg"], "sha-256");
  EXPECT_EQ(payload["iss"], "ong");
  const Disclosure& disclosure = issued.disclosures.at("identity");
  EXPECT_EQ(payload["sections"]["identity"],
            DigestHolder({DigestOf(disclosure)}));
  const Json array = Decode(disclosure);
  ASSERT_EQ(array.size(), 3u);
  EXPECT_EQ(VALUE_OF(FromBase64Url(array[0].get<std::string>())).size(), 32u);
  EXPECT_EQ(array[1], "identity");
  EXPECT_EQ(array[2], identity_);
}

TEST_F(SlotsTest, WithheldLooksLikeAbsent) {
  const IssuedSdJwt with = Issue(values_);
  const IssuedSdJwt without = Issue({});
  EXPECT_EQ(with.jwt.size(), without.jwt.size());
  EXPECT_EQ(VALUE_OF(Verify(with.jwt)).slots,
            VALUE_OF(Verify(without.jwt)).slots);
  const Json a = PayloadOf(with.jwt)["sections"];
  const Json b = PayloadOf(without.jwt)["sections"];
  for (const std::string& name : names_) {
    ASSERT_EQ(a[name].size(), 1u);
    ASSERT_EQ(a[name]["_sd"].size(), 1u);
    ASSERT_EQ(b[name]["_sd"].size(), 1u);
    EXPECT_EQ(a[name]["_sd"][0].get<std::string>().size(),
              b[name]["_sd"][0].get<std::string>().size());
    EXPECT_NE(a[name]["_sd"][0], b[name]["_sd"][0]);
  }
}

TEST_F(SlotsTest, EqualValuesHaveUnequalDigests) {
  EXPECT_NE(PayloadOf(Issue(values_).jwt)["sections"]["identity"],
            PayloadOf(Issue(values_).jwt)["sections"]["identity"]);
}

TEST_F(SlotsTest, ALaterDisclosureStillFitsTheFirstDaysDigest) {
  const IssuedSdJwt issued = Issue(values_);
  EXPECT_THAT(VALUE_OF(Verify(issued.jwt)).values, IsEmpty());
  EXPECT_OK(Verify(issued.jwt, {issued.disclosures.at("identity")}));
}

TEST_F(SlotsTest, RefusesADisclosureWithoutADigest) {
  const IssuedSdJwt issued = Issue(values_);
  // Another issue of the same value, and a value for a decoy.
  EXPECT_THAT(Verify(issued.jwt, {Issue(values_).disclosures.at("identity")}),
              kDenied);
  EXPECT_THAT(Verify(issued.jwt, {Encode({Salt(), "risk", "low"})}), kDenied);
}

TEST_F(SlotsTest, RefusesADisclosureInAnothersSlot) {
  const Disclosure disclosure = Encode({Salt(), "risk", "low"});
  Json payload = PayloadWith(disclosure);
  payload["sections"]["risk"] = DigestHolder({DigestOf("decoy")});
  EXPECT_THAT(Verify(Sign(payload), {disclosure}), kDenied);
}

TEST_F(SlotsTest, RefusesADisclosureGivenTwice) {
  const IssuedSdJwt issued = Issue(values_);
  const Disclosure& disclosure = issued.disclosures.at("identity");
  EXPECT_THAT(Verify(issued.jwt, {disclosure, disclosure}), kDenied);
}

TEST_F(SlotsTest, AnyFlippedBitOfADisclosureIsRefused) {
  const IssuedSdJwt issued = Issue(values_);
  const Disclosure& disclosure = issued.disclosures.at("identity");
  ASSERT_OK(Verify(issued.jwt, {disclosure}));
  for (size_t i = 0; i < disclosure.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      Disclosure flipped = disclosure;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      ASSERT_FALSE(Verify(issued.jwt, {flipped}).ok())
          << "bit " << bit << " of byte " << i;
    }
  EXPECT_THAT(Verify(issued.jwt, {disclosure + "="}), kDenied);
  EXPECT_THAT(Verify(issued.jwt, {""}), kDenied);
}

TEST_F(SlotsTest, RefusesDisclosuresThatAreSignedButMalformed) {
  const std::string salt = Salt();
  const struct {
    const char* name;
    Disclosure disclosure;
  } kCases[] = {
      {"salt of 16 bytes",
       Encode({ToBase64Url(RandomBytes(16)), "identity", identity_})},
      {"salt of 33 bytes",
       Encode({ToBase64Url(RandomBytes(33)), "identity", identity_})},
      {"salt padded", Encode({salt + "=", "identity", identity_})},
      {"salt not a string", Encode({1, "identity", identity_})},
      {"no salt", Encode(Json::array({"identity", identity_}))},
      {"array element", Encode(Json::array({salt, identity_}))},
      {"four elements", Encode({salt, "identity", identity_, 1})},
      {"name not a string", Encode({salt, 1, identity_})},
      {"_sd in the value",
       Encode({salt, "identity", DigestHolder({DigestOf("x")})})},
      {"_sd deep in the value",
       Encode({salt, "identity", {{"a", {{{"b", DigestHolder({})}}}}}})},
      {"... in the value", Encode({salt, "identity", {{{"...", "AA"}}}})},
      {"_sd_alg in the value",
       Encode({salt, "identity", {{"_sd_alg", "md5"}}})},
      {"a key twice",
       ToBase64Url(AsBytes("[\"" + salt + R"(","identity",{"a":1,"a":2}])"))},
      {"trailing bytes",
       ToBase64Url(AsBytes("[\"" + salt + R"(","identity",{}]x)"))},
      {"nested too deep",
       ToBase64Url(AsBytes("[\"" + salt + R"(","identity",)" +
                           std::string(16, '[') + std::string(16, ']') + "]"))},
      {"an object", Encode({{"salt", salt}})},
      {"not base64url", "=="},
      {"empty", ""},
  };
  for (const auto& c : kCases)
    EXPECT_THAT(Verify(Sign(PayloadWith(c.disclosure)), {c.disclosure}),
                kMalformed)
        << c.name;
}

TEST_F(SlotsTest, AcceptsADisclosureThatAnotherToolSpelled) {
  const std::string text =
      absl::StrCat("[ \"", Salt(), "\",\n \"identity\", \"M\\u00f6bius\" ]");
  const Disclosure disclosure = ToBase64Url(AsBytes(text));
  const VerifiedSdJwt verified =
      VALUE_OF(Verify(Sign(PayloadWith(disclosure)), {disclosure}));
  EXPECT_EQ(verified.values.at("identity"), "Möbius");
}

TEST_F(SlotsTest, RefusesEveryOtherShape) {
  const Disclosure disclosure = Encode({Salt(), "identity", identity_});
  const std::string digest = DigestOf(disclosure), other = DigestOf("other");
  const Json good = PayloadWith(disclosure);
  ASSERT_OK(Verify(Sign(good), {disclosure}));
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
  std::vector<std::string> eight;
  for (int i = 0; i < 8; ++i) eight.push_back(DigestOf(std::to_string(i)));
  std::sort(eight.begin(), eight.end());
  const std::vector<std::pair<const char*, Json>> cases = {
      {"no _sd_alg", without("_sd_alg")},
      {"another _sd_alg", with("/_sd_alg", "sha-512")},
      {"_sd_alg in capitals", with("/_sd_alg", "SHA-256")},
      {"_sd_alg not a string", with("/_sd_alg", Json::array({"sha-256"}))},
      {"_sd_alg in a claim", with("/sub", {{"_sd_alg", "sha-256"}})},
      {"no shape", without("sections")},
      {"both shapes", with("/provisions", DigestHolder(eight))},
      {"a claim named like the other shape", with("/provisions", "x")},
      {"two digests in a slot",
       with("/sections/identity", DigestHolder({digest, other}))},
      {"no digest in a slot", with("/sections/identity", DigestHolder({}))},
      {"one digest in two slots",
       with("/sections/risk", DigestHolder({digest}))},
      {"a claim beside _sd", with("/sections/identity/identity", "shown")},
      {"a slot in clear", with("/sections/identity", identity_)},
      {"a slot that is a list", with("/sections/identity", {digest})},
      {"_sd in the sections", with("/sections/_sd", Json::array({digest}))},
      {"a slot named _sd", with("/sections/_sd", DigestHolder({other}))},
      {"a slot named ...", with("/sections/...", DigestHolder({other}))},
      {"sections a list", with("/sections", Json::array())},
      {"_sd at the top", with("/_sd", Json::array({other}))},
      {"_sd in a claim", with("/sub", DigestHolder({other}))},
      {"_sd deep in a claim", with("/sub", {{{"x", DigestHolder({other})}}})},
      {"... in a list", with("/sub", {{{"...", other}}})},
      {"a short digest", with("/sections/risk", DigestHolder({"AAAA"}))},
      {"a padded digest", with("/sections/risk", DigestHolder({other + "="}))},
      {"a digest not a string",
       with("/sections/risk", {{"_sd", Json::array({1})}})},
      {"_sd not a list", with("/sections/risk", {{"_sd", other}})},
      {"cnf", with("/cnf", {{"kid", "x"}})},
  };
  for (const auto& [name, payload] : cases) {
    EXPECT_THAT(Verify(Sign(payload)), kMalformed) << name;
    EXPECT_THAT(Verify(Sign(payload), {disclosure}), kMalformed) << name;
  }
}

TEST_F(SlotsTest, RefusesADisclosureThatWouldOverwriteAClaim) {
  const Disclosure disclosure = Encode({Salt(), "iss", "gnr"});
  Json payload = claims_;
  payload["_sd_alg"] = "sha-256";
  payload["sections"]["iss"] = DigestHolder({DigestOf(disclosure)});
  EXPECT_THAT(Verify(Sign(payload), {disclosure}), kDenied);
}

TEST_F(SlotsTest, RefusesMoreThan64Disclosures) {
  std::vector<std::string> names;
  std::map<std::string, Json> values;
  for (int i = 0; i < 64; ++i) {
    names.push_back(absl::StrCat("s", i));
    values[names.back()] = i;
  }
  const IssuedSdJwt issued =
      VALUE_OF(IssueSlots(key_, kTyp, claims_, names, values));
  std::vector<Disclosure> disclosures;
  for (const auto& [name, disclosure] : issued.disclosures)
    disclosures.push_back(disclosure);
  EXPECT_OK(Verify(issued.jwt, disclosures));
  disclosures.push_back(disclosures[0]);
  EXPECT_THAT(Verify(issued.jwt, disclosures), kMalformed);
  names.push_back("s64");
  EXPECT_THAT(IssueSlots(key_, kTyp, claims_, names, values), kMalformed);
}

TEST_F(SlotsTest, RefusesAnotherSignerTypOrSize) {
  const IssuedSdJwt issued = Issue(values_);
  const KeyLookup keys = [&](const Digest&) { return key_.verify_key(); };
  const std::vector<Disclosure> one = {issued.disclosures.at("identity")};
  const size_t size = issued.jwt.size() + one[0].size();
  EXPECT_OK(VerifySdJwt(issued.jwt, one, kTyp, keys, size));
  EXPECT_THAT(VerifySdJwt(issued.jwt, one, kTyp, keys, size - 1), kMalformed);
  EXPECT_THAT(VerifySdJwt(issued.jwt, one, "other", keys, size), kDenied);
  const SigningKey stranger = KeyOf(2);
  EXPECT_THAT(VerifySdJwt(
                  SignJws(stranger, kTyp, PayloadOf(issued.jwt)), one, kTyp,
                  [&](const Digest&) { return key_.verify_key(); }, size),
              kDenied);
  std::string tampered = issued.jwt;
  tampered.back() = tampered.back() == 'A' ? 'Q' : 'A';
  EXPECT_THAT(Verify(tampered, one), kDenied);
}

TEST_F(SlotsTest, DoesNotIssueWhatWouldBeRefused) {
  const auto issue = [&](const Json& claims, const Json& value) {
    return IssueSlots(key_, kTyp, claims, names_, {{"identity", value}});
  };
  for (const char* reserved :
       {"_sd", "...", "_sd_alg", "cnf", "sections", "provisions", "identity"}) {
    Json claims = claims_;
    claims[reserved] = "x";
    EXPECT_THAT(issue(claims, 1), kMalformed) << reserved;
  }
  Json nested = claims_;
  nested["sub"] = {{"a", Json::array({DigestHolder({})})}};
  EXPECT_THAT(issue(nested, 1), kMalformed);
  EXPECT_THAT(issue(Json::array(), 1), kMalformed);
  EXPECT_THAT(issue(claims_, DigestHolder({})), kMalformed);
  EXPECT_THAT(issue(claims_, Json::array({{{"...", 1}}})), kMalformed);
  // The array of the disclosure is one level of the sixteen.
  const auto nest = [](int depth) {
    Json value = 1;
    for (int i = 0; i < depth; ++i) value = Json::array({value});
    return value;
  };
  const IssuedSdJwt deepest = VALUE_OF(issue(claims_, nest(15)));
  EXPECT_OK(Verify(deepest.jwt, {deepest.disclosures.at("identity")}));
  EXPECT_THAT(issue(claims_, nest(16)), kMalformed);
  nested["sub"] = nest(16);
  EXPECT_THAT(issue(nested, 1), kMalformed);
  EXPECT_THAT(IssueSlots(key_, kTyp, claims_, names_, {{"health", 1}}),
              kMalformed);
  EXPECT_THAT(IssueSlots(key_, kTyp, claims_, {"a", "a"}, {}), kMalformed);
  EXPECT_THAT(IssueSlots(key_, kTyp, claims_, {"_sd"}, {}), kMalformed);
}

TEST_F(SlotsTest, ErrorsDoNotQuoteContent) {
  const Disclosure disclosure = Encode({Salt(), "risk", "Marta"});
  const auto refused = Verify(Sign(PayloadWith(disclosure)), {disclosure});
  EXPECT_EQ(refused.status().ToString().find("Marta"), std::string::npos);
  EXPECT_EQ(refused.status().ToString().find("risk"), std::string::npos);
  EXPECT_EQ(ErrorCodeOf(refused.status()), "verification_failed");
}

// ---- the set

class SetTest : public SdJwtTest {
 protected:
  IssuedSet Issue(size_t count) {
    std::vector<Json> values;
    for (size_t i = 0; i < count; ++i) values.push_back({{"effect", i}});
    return VALUE_OF(IssueSet(key_, kTyp, claims_, values));
  }
  static std::vector<std::string> DigestsOf(const IssuedSet& set) {
    return PayloadOf(set.sd_jwt.jwt)["provisions"]["_sd"]
        .get<std::vector<std::string>>();
  }
  Json PayloadWith(std::vector<std::string> digests, size_t size = 8) {
    while (digests.size() < size) digests.push_back(DigestOf(Salt()));
    std::sort(digests.begin(), digests.end());
    Json payload = claims_;
    payload["_sd_alg"] = "sha-256";
    payload["provisions"] = DigestHolder(digests);
    return payload;
  }
  static std::string Name() { return ToBase32(RandomBytes(16)); }
};

TEST_F(SetTest, ARecipientGetsItsProvisionsUnderTheirNames) {
  const IssuedSet set = Issue(3);
  const VerifiedSdJwt verified = VALUE_OF(
      Verify(set.sd_jwt.jwt, {set.sd_jwt.disclosures.at(set.names[2]),
                              set.sd_jwt.disclosures.at(set.names[0])}));
  EXPECT_EQ(verified.claims, claims_);
  EXPECT_THAT(verified.slots, IsEmpty());
  EXPECT_EQ(verified.values.size(), 2u);
  EXPECT_EQ(verified.values.at(set.names[0]), Json({{"effect", 0}}));
  EXPECT_EQ(verified.values.at(set.names[2]), Json({{"effect", 2}}));
}

TEST_F(SetTest, NamesAreTwentySixRandomCharacters) {
  const IssuedSet set = Issue(32);
  EXPECT_EQ(std::set<std::string>(set.names.begin(), set.names.end()).size(),
            32u);
  for (const std::string& name : set.names) {
    EXPECT_EQ(name.size(), 26u);
    EXPECT_EQ(VALUE_OF(FromBase32(name)).size(), 16u);
    EXPECT_EQ(Decode(set.sd_jwt.disclosures.at(name))[1], name);
  }
}

TEST_F(SetTest, TheNumberOfDigestsTellsOnlyTheBucket) {
  for (const auto& [count, size] : std::map<size_t, size_t>{
           {0, 8}, {1, 8}, {8, 8}, {9, 16}, {16, 16}, {17, 32}, {32, 32}}) {
    const IssuedSet set = Issue(count);
    EXPECT_EQ(DigestsOf(set).size(), size) << count;
    EXPECT_EQ(set.names.size(), count);
    EXPECT_OK(Verify(set.sd_jwt.jwt));
  }
  EXPECT_EQ(Issue(1).sd_jwt.jwt.size(), Issue(8).sd_jwt.jwt.size());
  EXPECT_THAT(IssueSet(key_, kTyp, claims_, std::vector<Json>(33, 1)),
              kMalformed);
}

TEST_F(SetTest, DigestsAreSortedAndDecoysLookLikeThem) {
  const std::vector<std::string> digests = DigestsOf(Issue(5));
  EXPECT_TRUE(std::is_sorted(digests.begin(), digests.end()));
  for (const std::string& digest : digests) EXPECT_EQ(digest.size(), 43u);
}

TEST_F(SetTest, RefusesADisclosureWithoutADigestOrTwice) {
  const IssuedSet set = Issue(2);
  const Disclosure& disclosure = set.sd_jwt.disclosures.at(set.names[0]);
  EXPECT_THAT(Verify(set.sd_jwt.jwt, {disclosure, disclosure}), kDenied);
  EXPECT_THAT(Verify(set.sd_jwt.jwt, {Encode({Salt(), Name(), 1})}), kDenied);
  EXPECT_THAT(Verify(Issue(2).sd_jwt.jwt, {disclosure}), kDenied);
}

TEST_F(SetTest, RefusesANameThatStandsTwice) {
  const std::string name = Name();
  const Disclosure a = Encode({Salt(), name, 1}), b = Encode({Salt(), name, 2});
  const std::string jwt = Sign(PayloadWith({DigestOf(a), DigestOf(b)}));
  EXPECT_OK(Verify(jwt, {a}));
  EXPECT_THAT(Verify(jwt, {a, b}), kDenied);
}

TEST_F(SetTest, RefusesANameThatIsNotRandom) {
  for (const char* name : {"", "1", "_sd", "...", "iss", "identity",
                           "AAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
    const Disclosure disclosure = Encode({Salt(), name, 1});
    EXPECT_THAT(Verify(Sign(PayloadWith({DigestOf(disclosure)})), {disclosure}),
                kDenied)
        << name;
  }
}

TEST_F(SetTest, RefusesASetThatIsNotPaddedOrNotSorted) {
  EXPECT_OK(Verify(Sign(PayloadWith({}))));
  for (size_t size : {0, 1, 7, 9, 15, 17, 33, 64})
    EXPECT_THAT(Verify(Sign(PayloadWith({}, size))), kMalformed) << size;
  Json unsorted = PayloadWith({});
  std::swap(unsorted["provisions"]["_sd"][0], unsorted["provisions"]["_sd"][7]);
  EXPECT_THAT(Verify(Sign(unsorted)), kMalformed);
  const std::string twice = DigestOf("x");
  EXPECT_THAT(Verify(Sign(PayloadWith({twice, twice}))), kMalformed);
  Json beside = PayloadWith({});
  beside["provisions"]["x"] = 1;
  EXPECT_THAT(Verify(Sign(beside)), kMalformed);
}

TEST_F(SetTest, DoesNotIssueReservedKeys) {
  EXPECT_THAT(IssueSet(key_, kTyp, claims_, {DigestHolder({})}), kMalformed);
  EXPECT_THAT(IssueSet(key_, kTyp, {{"cnf", 1}}, {1}), kMalformed);
}

// ---- the standard's serialization

TEST_F(SdJwtTest, SerializationIsReadBack) {
  const ParsedSdJwt parsed =
      VALUE_OF(ParseSdJwt(SerializeSdJwt("a.b.c", {"d1", "d2"}), kSizeMax));
  EXPECT_EQ(parsed.jwt, "a.b.c");
  EXPECT_THAT(parsed.disclosures, ElementsAre("d1", "d2"));
  EXPECT_EQ(SerializeSdJwt("a.b.c", {}), "a.b.c~");
  EXPECT_THAT(VALUE_OF(ParseSdJwt("a.b.c~", kSizeMax)).disclosures, IsEmpty());
}

TEST_F(SdJwtTest, RefusesAKeyBindingJwtAndEmptyParts) {
  for (const char* text : {"", "~", "~~", "a.b.c", "a.b.c~d1", "a.b.c~d1~k.b.j",
                           "~d1~", "a.b.c~~", "a.b.c~~d1~"})
    EXPECT_THAT(ParseSdJwt(text, kSizeMax), kMalformed) << text;
  EXPECT_THAT(ParseSdJwt("a.b.c~", 5), kMalformed);
  std::string many = "a.b.c~";
  for (int i = 0; i < 65; ++i) many += "d~";
  EXPECT_THAT(ParseSdJwt(many, kSizeMax), kMalformed);
  EXPECT_OK(ParseSdJwt(many.substr(0, many.size() - 2), kSizeMax));
}

TEST_F(SdJwtTest, ItsDigestIsThatOfTheIssuerSignedJwtAlone) {
  EXPECT_EQ(SdJwtDigest("a.b.c"), Sha256("a.b.c"));
}

}  // namespace
}  // namespace amparo
