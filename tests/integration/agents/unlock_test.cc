#include <sys/stat.h>

#include <cstdlib>
#include <string>

#include "agents/institution/daemon/data_dir.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/status_matchers.h"

// A keystore that does not open says why.

namespace amparo::agent {
namespace {

class Unlocking : public testing::Test {
 protected:
  Unlocking() {
    const AgentSecrets secrets = VALUE_OF(AgentSecrets::Make());
    keystore_ = VALUE_OF(SealSecrets(secrets, SecretBuffer::CopyOf("right"),
                                     KeystoreCost::kInteractive));
    Write("keystore.json", keystore_);
    Write("keystore.pass", "right\n");
    Write("agent.toml",
          WriteAgentConfig({.member = VALUE_OF(MemberId::Parse("ong")),
                            .network = "test",
                            .broker_address = "localhost:1",
                            .api_socket = "agent.sock",
                            .unlock = Unlock::kKeyFile,
                            .key_file = "keystore.pass"}));
    Write("certificate.pem", "");
  }
  void Write(const char* name, const std::string& text) {
    EXPECT_OK(WriteFile(folder_ / name, text, FileMode::kPrivate));
  }
  absl::Status Open(Unlock unlock = Unlock::kKeyFile) {
    AgentConfig config = VALUE_OF(data_.ReadConfig());
    config.unlock = unlock;
    return data_.Unlock(config).status();
  }

  ScratchFolder folder_;
  const DataDir data_{folder_.path()};
  std::string keystore_;
};

TEST_F(Unlocking, OpensWithTheRightPassphrase) { EXPECT_OK(Open()); }

TEST_F(Unlocking, SaysThatThePassphraseIsWrong) {
  Write("keystore.pass", "wrong\n");
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_EQ(ErrorCodeOf(Open()), "config");
}

TEST_F(Unlocking, SaysThatTheFileIsDamaged) {
  std::string damaged = keystore_;
  damaged[damaged.size() / 2] ^= 1;
  Write("keystore.json", damaged);
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(ErrorCodeOf(Open()), "storage");
  Write("keystore.json", keystore_.substr(0, keystore_.size() / 2));
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(Unlocking, SaysThatTheFileIsOfAnotherVersion) {
  Json newer = VALUE_OF(ParseJson(keystore_));
  newer["version"] = 2;
  Write("keystore.json", DumpJson(newer) + "\n");
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kUnimplemented));
  Write("keystore.json", "{}");
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(Unlocking, SaysWhatIsMissing) {
  ASSERT_EQ(std::remove((folder_ / "keystore.json").c_str()), 0);
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kNotFound));
  ASSERT_EQ(std::remove((folder_ / "keystore.pass").c_str()), 0);
  const absl::Status no_file = Open();
  EXPECT_THAT(no_file, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(DetailOf(no_file)->hint, "check keystore.key_file");
}

TEST_F(Unlocking, RefusesAPassphraseThatOthersMayRead) {
  ASSERT_EQ(chmod((folder_ / "keystore.pass").c_str(), 0644), 0);
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(Unlocking, TakesTheCredentialThatSystemdGives) {
  unsetenv("CREDENTIALS_DIRECTORY");
  EXPECT_THAT(Open(Unlock::kCredential),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  setenv("CREDENTIALS_DIRECTORY", folder_.path().c_str(), 1);
  EXPECT_THAT(Open(Unlock::kCredential), StatusIs(absl::StatusCode::kNotFound));
  Write("amparo-keystore", "right");
  EXPECT_OK(Open(Unlock::kCredential));
}

}  // namespace
}  // namespace amparo::agent
