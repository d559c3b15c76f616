#include "crypto/keystore.h"

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "base/encoding.h"
#include "base/json.h"
#include "crypto/digest.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

const auto kWrongPassphrase = StatusIs(absl::StatusCode::kPermissionDenied);
const auto kDamaged = StatusIs(absl::StatusCode::kDataLoss);

SecretBuffer Text(absl::string_view text) { return SecretBuffer::CopyOf(text); }

// Sealed once: each sealing costs what an attacker's guess costs.
const std::string& SealedFile() {
  static const std::string file = VALUE_OF(SealKeystore(
      Text("the secret"), Text("correct horse"), KeystoreCost::kInteractive));
  return file;
}
absl::StatusOr<SecretBuffer> OpenHere(absl::string_view file) {
  return OpenKeystore(file, Text("correct horse"));
}

// What an attacker with an editor does: changes the file, mends the checksum.
template <typename Change>
std::string Forged(const Change& change) {
  Json json = VALUE_OF(ParseJson(SealedFile()));
  change(json);
  json.erase("checksum");
  json["checksum"] = Sha256(DumpJson(json)).ToString();
  return DumpJson(json) + "\n";
}
void FlipFirstByte(Json& field) {
  Bytes bytes = VALUE_OF(FromBase64Url(field.get<std::string>()));
  bytes[0] ^= 1;
  field = ToBase64Url(bytes);
}

TEST(Keystore, OpensWithItsPassphrase) {
  EXPECT_EQ(AsText(VALUE_OF(OpenHere(SealedFile())).Expose()), "the secret");
}

TEST(Keystore, IsOneLineOfTextThatHidesTheSecret) {
  EXPECT_EQ(SealedFile().find('\n'), SealedFile().size() - 1);
  EXPECT_FALSE(absl::StrContains(SealedFile(), "the secret"));
  EXPECT_FALSE(
      absl::StrContains(SealedFile(), ToBase64Url(AsBytes("the secret"))));
  EXPECT_FALSE(absl::StrContains(SealedFile(), "horse"));
}

TEST(Keystore, NamesItsCost) {
  const Json kdf = VALUE_OF(ParseJson(SealedFile()))["kdf"];
  EXPECT_EQ(kdf["name"], "argon2id");
  EXPECT_EQ(kdf["passes"], 2);
  EXPECT_EQ(kdf["memory_kib"], 64 * 1024);
}

TEST(Keystore, HasItsOwnSaltEveryTime) {
  const std::string again = VALUE_OF(SealKeystore(
      Text("the secret"), Text("correct horse"), KeystoreCost::kInteractive));
  const Json a = VALUE_OF(ParseJson(again));
  const Json b = VALUE_OF(ParseJson(SealedFile()));
  for (const char* key : {"salt", "commitment", "sealed"})
    EXPECT_NE(a[key], b[key]) << key;
}

TEST(Keystore, HoldsAnEmptySecretButTakesNoEmptyPassphrase) {
  EXPECT_TRUE(
      VALUE_OF(OpenHere(VALUE_OF(SealKeystore({}, Text("correct horse"),
                                              KeystoreCost::kInteractive))))
          .empty());
  EXPECT_THAT(SealKeystore(Text("the secret"), {}, KeystoreCost::kInteractive),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(Keystore, SaysThatAPassphraseIsWrong) {
  for (const char* guess :
       {"", "correct hors", "correct horse ", "Correct horse"})
    EXPECT_THAT(OpenKeystore(SealedFile(), Text(guess)), kWrongPassphrase)
        << guess;
}

TEST(Keystore, SaysThatAFileIsDamagedWhateverTheByte) {
  const std::string& file = SealedFile();
  // The first key's name and value say that it is a keystore at all.
  const size_t begin = file.find(",\"version\"");
  for (size_t i = begin; i < file.size(); ++i) {
    std::string changed = file;
    changed[i] = changed[i] == '2' ? '1' : '2';
    const auto opened = OpenHere(changed);
    // A larger version number is a newer version.
    if (opened.status().code() == absl::StatusCode::kUnimplemented) continue;
    EXPECT_THAT(opened, kDamaged) << i;
  }
  for (size_t size = begin; size < file.size(); ++size)
    EXPECT_THAT(OpenHere(file.substr(0, size)), kDamaged) << size;
  EXPECT_THAT(OpenHere(file + " "), kDamaged);
  EXPECT_THAT(OpenHere(absl::StrReplaceAll(file, {{",", ", "}})), kDamaged);
}

TEST(Keystore, AForgerWhoMendsTheChecksumGetsNoFurther) {
  EXPECT_OK(OpenHere(Forged([](Json&) {})));
  EXPECT_THAT(OpenHere(Forged([](Json& j) { FlipFirstByte(j["sealed"]); })),
              kDamaged);
  EXPECT_THAT(OpenHere(Forged([](Json& j) { FlipFirstByte(j["salt"]); })),
              kWrongPassphrase);
  EXPECT_THAT(OpenHere(Forged([](Json& j) { FlipFirstByte(j["commitment"]); })),
              kWrongPassphrase);
  EXPECT_THAT(OpenHere(Forged([](Json& j) { j["kdf"]["passes"] = 1; })),
              kWrongPassphrase);
  EXPECT_THAT(OpenHere(Forged([](Json& j) { j["salt"] = ""; })), kDamaged);
  EXPECT_THAT(OpenHere(Forged([](Json& j) { j["commitment"] = ""; })),
              kDamaged);
  EXPECT_THAT(OpenHere(Forged([](Json& j) { j["sealed"] = ""; })), kDamaged);
  EXPECT_THAT(OpenHere(Forged([](Json& j) { j["note"] = "x"; })), kDamaged);
  EXPECT_THAT(OpenHere(Forged([](Json& j) { j["kdf"]["name"] = "none"; })),
              kDamaged);
}

// A file must not make an agent compute for a day or take all memory.
TEST(Keystore, RefusesACostBeyondTheDearestOrBelowTheCheapest) {
  const auto refused = StatusIs(absl::StatusCode::kInvalidArgument);
  for (int64_t passes : {int64_t{5}, int64_t{1} << 40, int64_t{0}, int64_t{-1}})
    EXPECT_THAT(OpenHere(Forged([&](Json& j) { j["kdf"]["passes"] = passes; })),
                refused)
        << passes;
  for (int64_t kib :
       {int64_t{1024 * 1024 + 1}, int64_t{1} << 60, int64_t{7}, int64_t{-8}})
    EXPECT_THAT(
        OpenHere(Forged([&](Json& j) { j["kdf"]["memory_kib"] = kib; })),
        refused)
        << kib;
}

TEST(Keystore, NamesANewerVersionAndWhatIsNoKeystore) {
  EXPECT_THAT(OpenHere(Forged([](Json& j) {
                j["version"] = 2;
                j["new"] = true;
              })),
              StatusIs(absl::StatusCode::kUnimplemented));
  EXPECT_THAT(OpenHere(Forged([](Json& j) { j["version"] = 0; })), kDamaged);
  const auto none = StatusIs(absl::StatusCode::kInvalidArgument);
  for (const char* text :
       {"", "{}", "[]", "1", "-----BEGIN PRIVATE KEY-----",
        R"({"format":"other","version":1})", R"({"format":1})"})
    EXPECT_THAT(OpenHere(text), none) << text;
}

}  // namespace
}  // namespace amparo
