#include "crypto/note.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/encoding.h"
#include "base/error.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/vectors.h"

namespace amparo {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kDenied = absl::StatusCode::kPermissionDenied;
constexpr auto kNotFound = absl::StatusCode::kNotFound;

// The example of c2sp.org/signed-note.
constexpr char kExample[] =
    "This is an example message.\n"
    "\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1E"
    "RYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
constexpr char kExampleKey[] =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

NoteVerifier VerifierOf(const SigningKey& key, absl::string_view name) {
  return VALUE_OF(
      NoteVerifier::Create(name, NoteKeyType::kEd25519, key.verify_key()));
}

// A signature line that is well formed and nobody's.
std::string Line(absl::string_view name) {
  return absl::StrCat("— ", name, " AAAAAAA=\n");
}

TEST(Note, TheExampleOfTheSpecificationVerifies) {
  const Note note = VALUE_OF(ParseNote(kExample));
  EXPECT_EQ(note.text, "This is an example message.\n");
  ASSERT_EQ(note.signatures.size(), 1u);
  EXPECT_EQ(note.signatures[0].name, "example.com/foo");
  EXPECT_EQ(note.signatures[0].key_hash, 0x530d903au);
  EXPECT_EQ(note.signatures[0].signature.size(), 64u);
  EXPECT_OK(VerifyNote(note, VALUE_OF(NoteVerifier::Parse(kExampleKey))));
  EXPECT_EQ(FormatNote(note), kExample);
}

TEST(Note, AnyChangeOfTheExampleIsRefused) {
  const NoteVerifier verifier = VALUE_OF(NoteVerifier::Parse(kExampleKey));
  const std::string good = kExample;
  for (size_t i = 0; i < good.size(); ++i) {
    for (const int bit : {0x01, 0x20}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ bit);
      const auto note = ParseNote(bad);
      EXPECT_FALSE(note.ok() && VerifyNote(*note, verifier).ok()) << i;
    }
  }
}

TEST(Note, SignedByUsIsReadBackAndVerifies) {
  const SigningKey one = SigningKey::Generate();
  const SigningKey two = SigningKey::Generate();
  Note note{"first line\n\nlast line\n", {}};
  ASSERT_OK(SignNote(note, "pt-exemplo", one));
  ASSERT_OK(SignNote(note, "pt-exemplo", two));
  const Note back = VALUE_OF(ParseNote(FormatNote(note)));
  EXPECT_EQ(back, note);
  EXPECT_OK(VerifyNote(back, VerifierOf(one, "pt-exemplo")));
  EXPECT_OK(VerifyNote(back, VerifierOf(two, "pt-exemplo")));
}

TEST(Note, IsSplitAtTheLastBlankLine) {
  const std::string fake = absl::StrCat("text\n\n", Line("a"), "\n", Line("b"));
  const Note note = VALUE_OF(ParseNote(fake));
  EXPECT_EQ(note.text, absl::StrCat("text\n\n", Line("a")));
  ASSERT_EQ(note.signatures.size(), 1u);
  EXPECT_EQ(note.signatures[0].name, "b");
  EXPECT_EQ(VALUE_OF(ParseNote(absl::StrCat("text\n\n\n", Line("a")))).text,
            "text\n\n");
}

TEST(Note, UnknownSignaturesAreKeptAndIgnored) {
  const SigningKey key = SigningKey::Generate();
  Note note{"text\n", {}};
  note.signatures.push_back({"other", 7, ToBytes("any size at all")});
  ASSERT_OK(SignNote(note, "log", key));
  // The same name with another key hash is another key.
  note.signatures.push_back({"log", 7, Bytes(64)});
  const Note back = VALUE_OF(ParseNote(FormatNote(note)));
  EXPECT_EQ(back.signatures.size(), 3u);
  EXPECT_OK(VerifyNote(back, VerifierOf(key, "log")));
}

TEST(Note, WithoutTheKeysSignatureIsNotFound) {
  const SigningKey key = SigningKey::Generate();
  Note note{"text\n", {}};
  ASSERT_OK(SignNote(note, "log", key));
  EXPECT_THAT(VerifyNote(note, VerifierOf(SigningKey::Generate(), "log")),
              StatusIs(kNotFound));
  EXPECT_THAT(VerifyNote(note, VerifierOf(key, "log2")), StatusIs(kNotFound));
}

TEST(Note, OneBadSignatureOfAKnownKeyRefusesTheWholeNote) {
  const SigningKey key = SigningKey::Generate();
  Note note{"text\n", {}};
  ASSERT_OK(SignNote(note, "log", key));
  for (const bool bad_first : {true, false}) {
    Note both = note;
    NoteSignature bad = note.signatures[0];
    bad.signature[10] ^= 1;
    both.signatures.insert(
        bad_first ? both.signatures.begin() : both.signatures.end(), bad);
    EXPECT_THAT(VerifyNote(both, VerifierOf(key, "log")), StatusIs(kDenied));
  }
  Note cut = note;
  cut.signatures[0].signature.pop_back();
  EXPECT_THAT(VerifyNote(cut, VerifierOf(key, "log")), StatusIs(kDenied));
  Note longer = note;
  longer.signatures[0].signature.push_back(0);
  const absl::Status refused = VerifyNote(longer, VerifierOf(key, "log"));
  EXPECT_THAT(refused, StatusIs(kDenied));
  EXPECT_EQ(ErrorCodeOf(refused), "verification_failed");
}

TEST(Note, ASignatureUnderAnotherKeysNameIsRefused) {
  const SigningKey attacker = SigningKey::Generate();
  const NoteVerifier log = VerifierOf(SigningKey::Generate(), "log");
  Note note{"text\n", {}};
  ASSERT_OK(SignNote(note, "log", attacker));
  note.signatures[0].key_hash = log.key_hash();
  EXPECT_THAT(VerifyNote(note, log), StatusIs(kDenied));
}

TEST(Note, AKeyForCosignaturesDoesNotVerifyNotes) {
  const SigningKey key = SigningKey::Generate();
  const NoteVerifier witness = VALUE_OF(NoteVerifier::Create(
      "log", NoteKeyType::kCosignatureV1, key.verify_key()));
  EXPECT_NE(witness.key_hash(), VerifierOf(key, "log").key_hash());
  Note note{"text\n", {}};
  ASSERT_OK(SignNote(note, "log", key));
  note.signatures[0].key_hash = witness.key_hash();
  EXPECT_THAT(VerifyNote(note, witness), StatusIs(kInvalid));
}

struct Malformed {
  const char* name;
  std::string note;
};
class MalformedNote : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedNote, IsRefused) {
  EXPECT_THAT(ParseNote(GetParam().note), StatusIs(kInvalid));
}

INSTANTIATE_TEST_SUITE_P(
    Note, MalformedNote,
    testing::ValuesIn(std::vector<Malformed>{
        {"Empty", ""},
        {"NoSignature", "text\n"},
        {"BlankLineOnly", "text\n\n"},
        {"SignatureOnly", Line("a")},
        {"NoBlankLine", absl::StrCat("text\n", Line("a"))},
        {"NoLastNewline", "text\n\n— a AAAAAAA="},
        {"TextAfterSignatures", absl::StrCat("text\n\n", Line("a"), "more\n")},
        {"HyphenForDash", "text\n\n- a AAAAAAA=\n"},
        {"EnDash", "text\n\n– a AAAAAAA=\n"},
        {"NoSpaceAfterDash", "text\n\n—a AAAAAAA=\n"},
        {"NoName", "text\n\n—  AAAAAAA=\n"},
        {"PlusInName", "text\n\n— a+b AAAAAAA=\n"},
        {"NoBreakSpaceInName", "text\n\n— a\u00a0b AAAAAAA=\n"},
        {"WideSpaceInName", "text\n\n— a\u3000b AAAAAAA=\n"},
        {"TwoSpaces", "text\n\n— a  AAAAAAA=\n"},
        {"TrailingSpace", "text\n\n— a AAAAAAA= \n"},
        {"NoSignatureText", "text\n\n— a\n"},
        {"EmptySignatureText", "text\n\n— a \n"},
        {"KeyHashOnly", "text\n\n— a AAAAAA==\n"},
        {"NoPadding", "text\n\n— a AAAAAAA\n"},
        {"SetFillingBits", "text\n\n— a AAAAAAB=\n"},
        {"Base64Url", "text\n\n— a AAAAA_A=\n"},
        {"CarriageReturn", absl::StrCat("text\r\n\n", Line("a"))},
        {"Tab", absl::StrCat("te\txt\n\n", Line("a"))},
        {"Nul", absl::StrCat(std::string("te\0xt", 5), "\n\n", Line("a"))},
        {"LoneContinuation", absl::StrCat("te\x80xt\n\n", Line("a"))},
        {"OverlongSlash", absl::StrCat("te\xc0\xaf\n\n", Line("a"))},
        {"OverlongThree", absl::StrCat("te\xe0\x80\xaf\n\n", Line("a"))},
        {"Surrogate", absl::StrCat("te\xed\xa0\x80\n\n", Line("a"))},
        {"BeyondUnicode", absl::StrCat("te\xf4\x90\x80\x80\n\n", Line("a"))},
        {"FiveBytes", absl::StrCat("te\xf8\x88\x80\x80\x80\n\n", Line("a"))},
        {"CutCharacter", absl::StrCat("text\xe2\x80\n\n", Line("a"))},
    }),
    [](const auto& variant) { return std::string(variant.param.name); });

TEST(Note, TakesCharactersOfEverySize) {
  const std::string text = "a é — 𐍈 \u007f \U0010ffff\n";
  EXPECT_EQ(VALUE_OF(ParseNote(absl::StrCat(text, "\n", Line("é")))).text,
            text);
}

TEST(Note, TakesAHundredSignaturesAndNoMore) {
  std::string note = "text\n\n";
  for (size_t i = 0; i < kNoteSignaturesMax; ++i) note += Line("a");
  EXPECT_EQ(VALUE_OF(ParseNote(note)).signatures.size(), kNoteSignaturesMax);
  EXPECT_THAT(ParseNote(note + Line("a")), StatusIs(kInvalid));
}

TEST(Note, TakesAMillionBytesAndNoMore) {
  const std::string rest = absl::StrCat("\n\n", Line("a"));
  const std::string text(kNoteBytesMax - rest.size(), 'x');
  EXPECT_OK(ParseNote(text + rest));
  EXPECT_THAT(ParseNote("x" + text + rest), StatusIs(kInvalid));
}

TEST(Note, SigningRefusesWhatCouldNotBeReadBack) {
  const SigningKey key = SigningKey::Generate();
  for (const char* text : {"", "no newline", "tab\t\n", "\xff\n"}) {
    Note note{text, {}};
    EXPECT_THAT(SignNote(note, "log", key), StatusIs(kInvalid));
    EXPECT_TRUE(note.signatures.empty());
  }
  for (const char* name : {"", "a b", "a+b", "a\nb", "a\u2003b", "\xff"}) {
    Note note{"text\n", {}};
    EXPECT_THAT(SignNote(note, name, key), StatusIs(kInvalid));
  }
}

TEST(NoteVerifier, IsReadBackFromItsText) {
  const SigningKey key = SigningKey::Generate();
  for (const NoteKeyType type :
       {NoteKeyType::kEd25519, NoteKeyType::kCosignatureV1}) {
    const NoteVerifier made = VALUE_OF(
        NoteVerifier::Create("example.com/log", type, key.verify_key()));
    const NoteVerifier read = VALUE_OF(NoteVerifier::Parse(made.ToString()));
    EXPECT_EQ(read.name(), made.name());
    EXPECT_EQ(read.type(), type);
    EXPECT_EQ(read.key(), made.key());
    EXPECT_EQ(read.key_hash(), made.key_hash());
  }
}

TEST(NoteVerifier, RefusesAKeyThatItsHashDoesNotName) {
  const std::string good = kExampleKey;
  ASSERT_OK(NoteVerifier::Parse(good));
  for (const auto& [from, to] :
       std::vector<std::pair<const char*, const char*>>{
           {"530d903a", "530d903b"},        // another hash
           {"530d903a", "530D903A"},        // another spelling of it
           {"530d903a", "0530d903a"},       // longer
           {"530d903a", "530d90"},          // shorter
           {"example.com", "example.org"},  // another name
           {"example.com/foo", ""},         // no name
           {"+AekyeRrm", "+Bekyerrm"},      // the hash of type 0x01
           {"3U2k", "3U2l"},                // another key
           {"3U2k", "3U2"},                 // a cut one
           {"3U2k", "3U2kAAAA"},            // a longer one
           {"+AekyeRrm", ""}}) {
    const std::string bad = absl::StrReplaceAll(good, {{from, to}});
    ASSERT_NE(bad, good);
    EXPECT_FALSE(NoteVerifier::Parse(bad).ok()) << bad;
  }
}

TEST(NoteVerifier, RefusesSmallOrderKeys) {
  // All zeros: a point of order 4. Its hash fits: what is refused is the key.
  Bytes data(33);
  data[0] = 1;
  Bytes hashed = ToBytes("log\n");
  Append(hashed, data);
  const std::string hash = ToHex(Sha256(hashed).bytes().first(4));
  EXPECT_THAT(
      NoteVerifier::Parse(absl::StrCat("log+", hash, "+", ToBase64(data))),
      StatusIs(kDenied));
}

TEST(NoteVectors, SignedNotes) {
  NEEDS_VECTORS();
  const Json file = ReadVectors("notes/signed-note.json");
  for (const Json& c : file["cases"]) {
    SCOPED_TRACE(c["name"].get<std::string>());
    const std::string expect = c["expect"].get<std::string>();
    const Bytes encoded =
        VALUE_OF(FromBase64(c["note_b64"].get<std::string>()));
    const auto note = ParseNote(AsText(encoded));
    EXPECT_EQ(note.ok(), expect != "malformed");
    if (!note.ok()) continue;
    EXPECT_EQ(FormatNote(*note), AsText(encoded));
    bool verified = false;
    bool refused = false;
    for (const Json& vkey : c["vkeys"]) {
      const absl::Status status = VerifyNote(
          *note, VALUE_OF(NoteVerifier::Parse(vkey.get<std::string>())));
      verified |= status.ok();
      refused |= status.code() == kDenied;
    }
    EXPECT_EQ(verified, expect == "ok");
    EXPECT_EQ(refused, expect == "error");
  }
  EXPECT_EQ(file["cases"].size(), 9u);
}

TEST(NoteVectors, VerifierKeys) {
  NEEDS_VECTORS();
  const Json vkeys = ReadVectors("notes/signed-note.json")["vkeys"];
  for (const Json& c : vkeys) {
    const std::string vkey = c["vkey"].get<std::string>();
    const auto verifier = NoteVerifier::Parse(vkey);
    EXPECT_EQ(verifier.ok(), c["ok"].get<bool>()) << vkey;
    if (!verifier.ok()) continue;
    EXPECT_EQ(verifier->ToString(), vkey);
  }
  EXPECT_EQ(vkeys.size(), 7u);
}

TEST(NoteVectors, SigningGivesThePublishedNote) {
  NEEDS_VECTORS();
  const Json sign = ReadVectors("notes/signed-note.json")["sign"];
  // PRIVATE+KEY+name+hash+base64(type, seed): public test data.
  const std::string skey = sign["skey"].get<std::string>();
  const std::vector<std::string> parts =
      absl::StrSplit(skey, absl::MaxSplits('+', 4));
  ASSERT_EQ(parts.size(), 5u);
  const Bytes data = VALUE_OF(FromBase64(parts[4]));
  const SigningKey key = VALUE_OF(
      SigningKey::FromSeed(SecretKeyBytes::CopyOf(ByteView(data).subspan(1))));
  Note note{sign["text"].get<std::string>(), {}};
  ASSERT_OK(SignNote(note, parts[2], key));
  EXPECT_EQ(FormatNote(note), sign["want"].get<std::string>());
}

}  // namespace
}  // namespace amparo
