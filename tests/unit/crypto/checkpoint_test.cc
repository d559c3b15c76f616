#include "crypto/checkpoint.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/encoding.h"
#include "base/error.h"
#include "crypto/sign.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/vectors.h"

namespace amparo {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kDenied = absl::StatusCode::kPermissionDenied;
constexpr auto kNotFound = absl::StatusCode::kNotFound;

constexpr char kRoot[] = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
constexpr char kOrigin[] = "example.com/behind-the-sofa";

// The body in c2sp.org/tlog-checkpoint's example.
std::string ExampleBody() {
  return absl::StrCat(kOrigin, "\n20852163\n", kRoot, "\n");
}

// A checkpoint of size 300 with a log's signature of a type unknown to us and
// a witness's cosignature at 1767139200 (2025-12-31).
constexpr char kCosigned[] =
    "rome2026h1.example.org\n"
    "300\n"
    "lCkHUpkmVBEms2r2T1K6Og69+wUuuN3MIEW1/ezu2v0=\n"
    "\n"
    "— rome2026h1.example.org kVB1JgAAAZtxtEwABAMARzBFAiEAi+mTa2xjL1IdWpH82Oec"
    "iGsGvwRAP+f1WkfKaSZCfFECIHoNPZ/Q3y6UNzvKOO9cuLr6V16vPNfhwhle9f6r5H/Z\n"
    "— witness.example.org uKLPIAAAAABpVGeAhm2bOvKc3LaB9PFN1ruG19Y5yqslmcAAbhft"
    "nn1Zznmo0LXFZq4LGvqKqLX8jWlwLKasxEGTLIqAVusneCBmBw==\n";
constexpr char kCosignedWitness[] =
    "witness.example.org+b8a2cf20+BFLN3yikSfFkVAJtrnh/CiY3Zozkoy7clp+P7XB28qUN";

Checkpoint Example() {
  return {kOrigin,
          TreeSize(20852163),
          VALUE_OF(Digest::FromBytes(VALUE_OF(FromBase64(kRoot)))),
          {}};
}

NoteVerifier VerifierOf(const SigningKey& key, absl::string_view name,
                        NoteKeyType type = NoteKeyType::kEd25519) {
  return VALUE_OF(NoteVerifier::Create(name, type, key.verify_key()));
}

TEST(Checkpoint, TheExampleOfTheSpecificationIsReadAndWritten) {
  EXPECT_EQ(VALUE_OF(ParseCheckpoint(ExampleBody())), Example());
  EXPECT_EQ(FormatCheckpoint(Example()), ExampleBody());
}

TEST(Checkpoint, ExtensionLinesAreKept) {
  Checkpoint checkpoint = Example();
  checkpoint.extensions = {"one", "— two, not a signature"};
  EXPECT_EQ(VALUE_OF(ParseCheckpoint(FormatCheckpoint(checkpoint))),
            checkpoint);
}

TEST(Checkpoint, TakesTheSmallestAndTheLargestSize) {
  for (const uint64_t size : {uint64_t{0}, ~uint64_t{0}}) {
    Checkpoint checkpoint = Example();
    checkpoint.size = TreeSize(size);
    EXPECT_EQ(VALUE_OF(ParseCheckpoint(FormatCheckpoint(checkpoint))),
              checkpoint);
  }
}

struct Variant {
  const char* name;
  std::string text;
};
class MalformedCheckpoint : public testing::TestWithParam<Variant> {};

TEST_P(MalformedCheckpoint, IsRefused) {
  EXPECT_THAT(ParseCheckpoint(GetParam().text), StatusIs(kInvalid));
}

std::string Body(absl::string_view size, absl::string_view root,
                 absl::string_view rest = "") {
  return absl::StrCat("log\n", size, "\n", root, "\n", rest);
}

INSTANTIATE_TEST_SUITE_P(
    Checkpoint, MalformedCheckpoint,
    testing::ValuesIn(std::vector<Variant>{
        {"Empty", ""},
        {"NewlineOnly", "\n"},
        {"NoRoot", "log\n5\n"},
        {"NoOrigin", absl::StrCat("\n5\n", kRoot, "\n")},
        {"NoLastNewline", absl::StrCat("log\n5\n", kRoot)},
        {"LeadingZero", Body("05", kRoot)},
        {"TwoZeros", Body("00", kRoot)},
        {"Plus", Body("+5", kRoot)},
        {"Minus", Body("-5", kRoot)},
        {"MinusZero", Body("-0", kRoot)},
        {"SpaceBefore", Body(" 5", kRoot)},
        {"SpaceAfter", Body("5 ", kRoot)},
        {"Hexadecimal", Body("0x5", kRoot)},
        {"TooLargeForUs", Body("18446744073709551616", kRoot)},
        {"ShortRoot", Body("5", "YmFuYW5hcw==")},
        {"RootWithoutPadding",
         Body("5", "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I")},
        {"RootWithSetFillingBits",
         Body("5", "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=")},
        {"EmptyExtension", Body("5", kRoot, "\n")},
        {"EmptyLineAmongExtensions", Body("5", kRoot, "a\n\nb\n")},
        {"ControlCharacter", Body("5", kRoot, "a\tb\n")},
        {"NotUtf8", Body("5", kRoot, "\xff\n")},
    }),
    [](const auto& variant) { return std::string(variant.param.name); });

TEST(Checkpoint, SignedByTheLogVerifies) {
  const SigningKey key = SigningKey::Generate();
  const std::string note = VALUE_OF(SignCheckpoint(Example(), key));
  EXPECT_EQ(VALUE_OF(VerifyCheckpoint(note, VerifierOf(key, kOrigin))),
            Example());
}

TEST(Checkpoint, AnyFlippedBitIsRefused) {
  const SigningKey key = SigningKey::Generate();
  const NoteVerifier log = VerifierOf(key, kOrigin);
  const std::string note = VALUE_OF(SignCheckpoint(Example(), key));
  for (size_t bit = 0; bit < note.size() * 8; ++bit) {
    std::string bad = note;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(VerifyCheckpoint(bad, log).ok()) << bit;
  }
}

TEST(Checkpoint, SaysWhenTheLogShowedIt) {
  const SigningKey key = SigningKey::Generate();
  const NoteVerifier log = VerifierOf(key, kOrigin);
  const std::string note = VALUE_OF(SignCheckpoint(Example(), key));
  EXPECT_THAT(TimeOfCheckpoint(note, log), StatusIs(kNotFound));
  const absl::Time at = absl::FromUnixSeconds(1795262400);
  const std::string timed = VALUE_OF(TimeCheckpoint(note, key, at));
  EXPECT_EQ(VALUE_OF(TimeOfCheckpoint(timed, log)), at);
  EXPECT_EQ(VALUE_OF(VerifyCheckpoint(timed, log)), Example());
}

TEST(Checkpoint, AnotherTimeThanTheLogSignedIsRefused) {
  const SigningKey key = SigningKey::Generate();
  const NoteVerifier log = VerifierOf(key, kOrigin);
  const std::string note = VALUE_OF(SignCheckpoint(Example(), key));
  Note moved = VALUE_OF(ParseNote(
      VALUE_OF(TimeCheckpoint(note, key, absl::FromUnixSeconds(1795262400)))));
  moved.signatures.back().signature[7] ^= 1;  // a byte of the time
  EXPECT_THAT(TimeOfCheckpoint(FormatNote(moved), log), StatusIs(kDenied));
  // A stranger's word is none of the log's.
  const std::string strange = VALUE_OF(TimeCheckpoint(
      note, SigningKey::Generate(), absl::FromUnixSeconds(1)));
  EXPECT_THAT(TimeOfCheckpoint(strange, log), StatusIs(kNotFound));
}

TEST(Checkpoint, OfAnotherLogIsRefusedThoughTheKeySignedIt) {
  const SigningKey key = SigningKey::Generate();
  Note note{ExampleBody(), {}};
  ASSERT_OK(SignNote(note, "example.com/other", key));
  const auto refused =
      VerifyCheckpoint(FormatNote(note), VerifierOf(key, "example.com/other"));
  EXPECT_THAT(refused, StatusIs(kDenied));
  EXPECT_EQ(ErrorCodeOf(refused.status()), "verification_failed");
}

TEST(Checkpoint, OfAnotherKeyIsNotFound) {
  const std::string note =
      VALUE_OF(SignCheckpoint(Example(), SigningKey::Generate()));
  EXPECT_THAT(
      VerifyCheckpoint(note, VerifierOf(SigningKey::Generate(), kOrigin)),
      StatusIs(kNotFound));
}

TEST(Checkpoint, ASignedTextThatIsNoCheckpointIsRefused) {
  const SigningKey key = SigningKey::Generate();
  Note note{"log\nnot a checkpoint\n", {}};
  ASSERT_OK(SignNote(note, "log", key));
  EXPECT_THAT(VerifyCheckpoint(FormatNote(note), VerifierOf(key, "log")),
              StatusIs(kInvalid));
}

TEST(Checkpoint, SigningRefusesAnOriginThatWouldForgeAnotherHead) {
  const SigningKey key = SigningKey::Generate();
  Checkpoint forged = Example();
  forged.origin = absl::StrCat(kOrigin, "\n1\n", kRoot);
  EXPECT_THAT(SignCheckpoint(forged, key), StatusIs(kInvalid));
  Checkpoint smuggled = Example();
  smuggled.extensions = {"a\nb"};
  EXPECT_THAT(SignCheckpoint(smuggled, key), StatusIs(kInvalid));
  smuggled.extensions = {""};
  EXPECT_THAT(SignCheckpoint(smuggled, key), StatusIs(kInvalid));
  Checkpoint spaced = Example();
  spaced.origin = "not a key's name";
  EXPECT_THAT(SignCheckpoint(spaced, key), StatusIs(kInvalid));
}

TEST(Cosignature, ThePublishedOneVerifiesAndTellsItsTime) {
  const Note note = VALUE_OF(ParseNote(kCosigned));
  EXPECT_EQ(VALUE_OF(VerifyCosignature(
                note, VALUE_OF(NoteVerifier::Parse(kCosignedWitness)))),
            absl::FromUnixSeconds(0x69546780));
}

class CosignatureTest : public testing::Test {
 protected:
  CosignatureTest()
      : key_(SigningKey::Generate()),
        witness_(VerifierOf(key_, "gnr", NoteKeyType::kCosignatureV1)) {}

  NoteSignature At(absl::Time time) const {
    return VALUE_OF(CosignCheckpoint(ExampleBody(), "gnr", key_, time));
  }
  Note With(std::vector<NoteSignature> signatures) const {
    return {ExampleBody(), std::move(signatures)};
  }

  const absl::Time time_ = absl::FromUnixSeconds(1'795'000'000);
  SigningKey key_;
  NoteVerifier witness_;
};

TEST_F(CosignatureTest, ByUsIsReadBackAndVerifies) {
  const Note note = VALUE_OF(
      ParseNote(FormatNote(With({At(time_ + absl::Milliseconds(7))}))));
  EXPECT_EQ(note.signatures[0].signature.size(), 72u);
  EXPECT_EQ(VALUE_OF(VerifyCosignature(note, witness_)), time_);
}

TEST_F(CosignatureTest, SignsTheMessageOfTheSpecification) {
  const Bytes signature = At(time_).signature;
  EXPECT_EQ(ReadU64(signature), 1'795'000'000u);
  EXPECT_OK(VerifyStrictRaw(
      key_.verify_key(),
      AsBytes(absl::StrCat("cosignature/v1\ntime 1795000000\n", ExampleBody())),
      ByteView(signature).subspan(8)));
}

TEST_F(CosignatureTest, ABackdatedOneIsRefused) {
  NoteSignature backdated = At(time_);
  backdated.signature[7] ^= 1;
  EXPECT_THAT(VerifyCosignature(With({backdated}), witness_),
              StatusIs(kDenied));
}

TEST_F(CosignatureTest, OfAnotherCheckpointIsRefused) {
  Note note = With({At(time_)});
  note.text = absl::StrCat(kOrigin, "\n20852164\n", kRoot, "\n");
  EXPECT_THAT(VerifyCosignature(note, witness_), StatusIs(kDenied));
}

TEST_F(CosignatureTest, APlainSignatureIsNoCosignature) {
  Note note = With({});
  ASSERT_OK(SignNote(note, "gnr", key_));
  EXPECT_THAT(VerifyCosignature(note, witness_), StatusIs(kNotFound));
  EXPECT_THAT(VerifyCosignature(note, VerifierOf(key_, "gnr")),
              StatusIs(kInvalid));
  // Nor with the key hash exchanged and any eight bytes before it.
  note.signatures[0].key_hash = witness_.key_hash();
  EXPECT_THAT(VerifyCosignature(note, witness_), StatusIs(kDenied));
  note.signatures[0].signature.insert(note.signatures[0].signature.begin(), 8,
                                      0);
  EXPECT_THAT(VerifyCosignature(note, witness_), StatusIs(kDenied));
}

TEST_F(CosignatureTest, OfAnotherWitnessIsNotFound) {
  const NoteVerifier other =
      VerifierOf(SigningKey::Generate(), "gnr", NoteKeyType::kCosignatureV1);
  EXPECT_THAT(VerifyCosignature(With({At(time_)}), other), StatusIs(kNotFound));
  EXPECT_THAT(VerifyCosignature(With({}), witness_), StatusIs(kNotFound));
}

TEST_F(CosignatureTest, TheNewestOfSeveralCounts) {
  const absl::Time later = time_ + absl::Hours(1);
  EXPECT_EQ(VALUE_OF(VerifyCosignature(With({At(later), At(time_)}), witness_)),
            later);
}

TEST_F(CosignatureTest, OneBadAmongSeveralIsRefused) {
  NoteSignature bad = At(time_);
  bad.signature.back() ^= 1;
  EXPECT_THAT(VerifyCosignature(With({At(time_), bad}), witness_),
              StatusIs(kDenied));
}

TEST_F(CosignatureTest, ATimeBeyondTheSpecificationIsRefusedThoughSigned) {
  NoteSignature beyond = At(time_);
  beyond.signature.clear();
  AppendU64(beyond.signature, uint64_t{1} << 63);
  Append(beyond.signature,
         SignRaw(key_, AsBytes(absl::StrCat(
                           "cosignature/v1\ntime 9223372036854775808\n",
                           ExampleBody()))));
  EXPECT_THAT(VerifyCosignature(With({beyond}), witness_), StatusIs(kDenied));
}

TEST_F(CosignatureTest, OnlyCheckpointsAreCosigned) {
  const auto refused = StatusIs(kInvalid);
  EXPECT_THAT(CosignCheckpoint("any text\n", "gnr", key_, time_), refused);
  EXPECT_THAT(CosignCheckpoint(ExampleBody(), "g n r", key_, time_), refused);
  EXPECT_THAT(CosignCheckpoint(ExampleBody(), "gnr", key_,
                               absl::UnixEpoch() - absl::Seconds(1)),
              refused);
  EXPECT_THAT(
      CosignCheckpoint(ExampleBody(), "gnr", key_, absl::InfiniteFuture()),
      refused);
  EXPECT_OK(CosignCheckpoint(ExampleBody(), "gnr", key_, absl::UnixEpoch()));
}

TEST(CheckpointVectors, Bodies) {
  NEEDS_VECTORS();
  const Json cases = ReadVectors("notes/checkpoint-body.json")["cases"];
  for (const Json& c : cases) {
    SCOPED_TRACE(c["name"].get<std::string>());
    const std::string body = c["body"].get<std::string>();
    std::vector<std::string> lines = absl::StrSplit(body, '\n');
    // The source takes roots of any size; in RFC 6962 they have 32 bytes.
    const auto root = FromBase64(lines[2]);
    const bool is_digest = root.ok() && root->size() == Digest::kSize;
    EXPECT_EQ(ParseCheckpoint(body).ok(), c["ok"].get<bool>() && is_digest);
    if (!c["ok"].get<bool>()) continue;
    lines[2] = kRoot;
    std::string strict;
    for (size_t i = 0; i + 1 < lines.size(); ++i) strict += lines[i] + "\n";
    EXPECT_OK(ParseCheckpoint(strict));
  }
  EXPECT_EQ(cases.size(), 9u);
}

TEST(CheckpointVectors, EveryEd25519KeyOfTheRealOnesVerifies) {
  NEEDS_VECTORS();
  int verified = 0;
  const Json checkpoints =
      ReadVectors("notes/real-checkpoints.json")["checkpoints"];
  for (const Json& c : checkpoints) {
    SCOPED_TRACE(c["name"].get<std::string>());
    const Note note = VALUE_OF(ParseNote(c["note"].get<std::string>()));
    EXPECT_EQ(FormatNote(note), c["note"].get<std::string>());
    const Checkpoint head = VALUE_OF(ParseCheckpoint(note.text));
    EXPECT_EQ(head.origin, c["origin"].get<std::string>());
    EXPECT_EQ(head.size, TreeSize(c["size"].get<uint64_t>()));
    EXPECT_EQ(ToBase64(head.root.bytes()), c["root_b64"].get<std::string>());
    EXPECT_EQ(head.extensions,
              c["extension_lines"].get<std::vector<std::string>>());
    for (const char* list : {"log_vkeys", "witness_vkeys"}) {
      for (const Json& vkey : c[list]) {
        const auto verifier = NoteVerifier::Parse(vkey.get<std::string>());
        const Bytes data =
            VALUE_OF(FromBase64(std::vector<std::string>(absl::StrSplit(
                vkey.get<std::string>(), absl::MaxSplits('+', 2)))[2]));
        // ECDSA is no type of ours; its signatures are unknown ones.
        EXPECT_EQ(verifier.ok(), data[0] != 0x02);
        if (!verifier.ok()) continue;
        EXPECT_OK(verifier->type() == NoteKeyType::kCosignatureV1
                      ? VerifyCosignature(note, *verifier).status()
                      : VerifyNote(note, *verifier));
        ++verified;
      }
    }
  }
  EXPECT_EQ(checkpoints.size(), 5u);
  EXPECT_EQ(verified, 6);
}

// Does a key of the log's list sign the checkpoint, and it the proof?
bool IsProven(const Json& c) {
  std::vector<Digest> proof;
  for (const Json& hash : c["proof_b64"])
    proof.push_back(VALUE_OF(
        Digest::FromBytes(VALUE_OF(FromBase64(hash.get<std::string>())))));
  const Digest leaf = VALUE_OF(Digest::FromBytes(
      VALUE_OF(FromBase64(c["leaf_hash_b64"].get<std::string>()))));
  for (const Json& vkey : c["log_vkeys"]) {
    const auto head = VerifyCheckpoint(
        c["checkpoint"].get<std::string>(),
        VALUE_OF(NoteVerifier::Parse(vkey.get<std::string>())));
    if (head.ok() &&
        VerifyInclusion(leaf, LeafIndex(c["index"].get<uint64_t>()), head->size,
                        proof, head->root)
            .ok())
      return true;
  }
  return false;
}

TEST(CheckpointVectors, RekorEntriesAreInTheirLogs) {
  NEEDS_VECTORS();
  const Json cases = ReadVectors("notes/rekor2-inclusion.json")["cases"];
  for (const Json& c : cases) {
    SCOPED_TRACE(c["name"].get<std::string>());
    EXPECT_EQ(IsProven(c), c["expect_checkpoint_and_inclusion"].get<bool>());
    if (c["leaf_b64"].is_null()) continue;
    const Bytes leaf = VALUE_OF(FromBase64(c["leaf_b64"].get<std::string>()));
    EXPECT_EQ(ToBase64(LeafHash(leaf).bytes()),
              c["leaf_hash_b64"].get<std::string>());
  }
  EXPECT_EQ(cases.size(), 13u);
}

}  // namespace
}  // namespace amparo
