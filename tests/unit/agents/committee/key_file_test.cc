#include "agents/committee/key_file.h"

#include "tests/unit/agents/committee/samples.h"

namespace amparo::committee {
namespace {

SecretBuffer Pass(absl::string_view text) { return SecretBuffer::CopyOf(text); }

TEST(KeyFile, GivesTheKeyBackForItsPassphraseOnly) {
  const SigningKey key = SigningKey::Generate();
  const std::string file =
      VALUE_OF(SealKeyFile(key, Pass("right"), KeystoreCost::kInteractive));
  EXPECT_EQ(VALUE_OF(OpenKeyFile(file, Pass("right"))).verify_key(),
            key.verify_key());
  EXPECT_THAT(OpenKeyFile(file, Pass("wrong")).status(),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST(KeyFile, RefusesAKeystoreOfSomethingElse) {
  const std::string file = VALUE_OF(SealKeystore(
      Pass("not a seed"), Pass("right"), KeystoreCost::kInteractive));
  EXPECT_FALSE(OpenKeyFile(file, Pass("right")).ok());
}

TEST(Passphrase, IsTheFirstLineOfItsFile) {
  const ScratchFolder scratch;
  ASSERT_OK(
      WriteFile(scratch / "p", "line one\nline two\n", FileMode::kPrivate));
  EXPECT_EQ(AsText(VALUE_OF(ReadPassphraseFile(scratch / "p")).Expose()),
            "line one");
  ASSERT_OK(WriteFile(scratch / "p", "\n", FileMode::kPrivate));
  EXPECT_THAT(ReadPassphraseFile(scratch / "p").status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(Passphrase, IsNeverMadeTwice) {
  const SecretBuffer first = GeneratePassphrase();
  EXPECT_EQ(first.size(), 32u);
  EXPECT_FALSE(EqualSecret(first.Expose(), GeneratePassphrase().Expose()));
}

}  // namespace
}  // namespace amparo::committee
