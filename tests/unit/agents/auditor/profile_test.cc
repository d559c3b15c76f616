#include "agents/auditor/profile.h"

#include <cstdlib>

#include "base/error.h"
#include "base/files.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/status_matchers.h"

namespace amparo::auditor {
namespace {

TEST(ProfileFolderTest, IsADirectoryWhereItHasASlashElseBelowTheConfiguration) {
  setenv("XDG_CONFIG_HOME", "/cfg", 1);
  unsetenv("AMPARO_PROFILE");
  EXPECT_EQ(ProfileFolder("./here"), "./here");
  EXPECT_EQ(ProfileFolder("court"), "/cfg/amparo/court");
  EXPECT_EQ(ProfileFolder(""), "/cfg/amparo/default");
  setenv("AMPARO_PROFILE", "other", 1);
  EXPECT_EQ(ProfileFolder(""), "/cfg/amparo/other");
  EXPECT_EQ(ProfileFolder("court"), "/cfg/amparo/court");
  setenv("AMPARO_PROFILE", "/a/b", 1);
  EXPECT_EQ(ProfileFolder(""), "/a/b");
  setenv("HOME", "/home/x", 1);
  unsetenv("XDG_CONFIG_HOME");
  EXPECT_EQ(ProfileFolder("court"), "/home/x/.config/amparo/court");
  unsetenv("AMPARO_PROFILE");
}

class ProfileTest : public testing::Test {
 protected:
  absl::StatusOr<Profile> Read(const std::string& text) {
    EXPECT_OK(WriteFile(scratch_ / "profile.toml", text, FileMode::kPublic));
    return ReadProfile(scratch_.path());
  }
  ScratchFolder scratch_;
};

TEST_F(ProfileTest, IsReadAsJoinWritesIt) {
  const Profile written{.member = "auditor",
                        .network = "local",
                        .broker = "127.0.0.1:7443",
                        .ca = "ca.pem",
                        .cert = "cert.pem",
                        .key = "/keys/key.pem",
                        .root = Sha256("root"),
                        .timeout = absl::Seconds(12)};
  const Profile read = VALUE_OF(Read(FormatProfile(written)));
  EXPECT_EQ(read.member, "auditor");
  EXPECT_EQ(read.network, "local");
  EXPECT_EQ(read.broker, "127.0.0.1:7443");
  EXPECT_EQ(read.ca, scratch_ / "ca.pem");
  EXPECT_EQ(read.key, "/keys/key.pem");
  EXPECT_EQ(read.root, written.root);
  EXPECT_EQ(read.timeout, absl::Seconds(12));
}

TEST_F(ProfileTest, NamesTheKeyThatIsUnknownOrWrong) {
  EXPECT_EQ(DetailOf(Read("broke = \"x\"\n").status())->field, "broke");
  EXPECT_EQ(DetailOf(Read("timeout_s = 0\n").status())->field, "timeout_s");
  EXPECT_EQ(DetailOf(Read("root = \"abc\"\n").status())->field, "root");
}

TEST_F(ProfileTest, MayHaveNoRoot) {
  EXPECT_FALSE(VALUE_OF(Read("member = \"a\"\n")).root.has_value());
}

TEST_F(ProfileTest, ThatIsNotThereIsNotFound) {
  EXPECT_THAT(ReadProfile(scratch_ / "none").status(),
              StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace amparo::auditor
