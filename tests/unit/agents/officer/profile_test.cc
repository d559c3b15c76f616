#include "agents/officer/profile.h"

#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/files.h"
#include "tests/support/status_matchers.h"

namespace amparo::officer {
namespace {

Environment With(std::map<std::string, std::string> values) {
  return [values](const char* name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

class ProfileTest : public ::testing::Test {
 protected:
  ProfileTest()
      : directory_(
            ::testing::TempDir() + "profile-" +
            ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  absl::StatusOr<Profile> Load(const std::string& text) {
    EXPECT_OK(WriteFile(directory_ + "/profile.toml", text, FileMode::kPublic));
    return LoadProfile(directory_);
  }
  const std::string directory_;
};

TEST(ProfileDirectory, IsAPathWhenItHoldsASlash) {
  const Environment environment = With({{"HOME", "/home/ana"}});
  EXPECT_EQ(ProfileDirectory("net/profiles/gnr", environment),
            "net/profiles/gnr");
  EXPECT_EQ(ProfileDirectory("./p", environment), "./p");
}

TEST(ProfileDirectory, IsANameInTheUsersConfigurationOtherwise) {
  EXPECT_EQ(ProfileDirectory("gnr", With({{"HOME", "/home/ana"}})),
            "/home/ana/.config/amparo/gnr");
  EXPECT_EQ(ProfileDirectory("gnr", With({{"HOME", "/home/ana"},
                                          {"XDG_CONFIG_HOME", "/x"}})),
            "/x/amparo/gnr");
}

TEST(ProfileDirectory, ComesFromTheEnvironmentWhenNotTyped) {
  const auto environment =
      With({{"HOME", "/h"}, {"AMPARO_PROFILE", "/net/profiles/uls"}});
  EXPECT_EQ(ProfileDirectory("", environment), "/net/profiles/uls");
  EXPECT_EQ(ProfileDirectory("gnr", environment), "/h/.config/amparo/gnr");
  EXPECT_EQ(ProfileDirectory("", With({{"HOME", "/h"}})),
            "/h/.config/amparo/default");
}

TEST_F(ProfileTest, ReadsASocketRelativeToItsDirectory) {
  const Profile profile =
      VALUE_OF(Load("socket = \"../agent.sock\"\nofficer = \"ana\"\n"
                    "member = \"ong\"\nlanguage = \"pt\"\ntimeout_s = 3\n"));
  const auto expected =
      (std::filesystem::absolute(directory_) / "../agent.sock")
          .lexically_normal();
  EXPECT_EQ(profile.socket, expected.string());
  EXPECT_EQ(profile.officer, "ana");
  EXPECT_EQ(profile.member, "ong");
  EXPECT_EQ(profile.timeout, absl::Seconds(3));
  EXPECT_FALSE(profile.tls.has_value());
}

TEST_F(ProfileTest, HasDefaults) {
  const Profile profile = VALUE_OF(Load("socket = \"/run/amparo/a.sock\"\n"));
  EXPECT_EQ(profile.socket, "/run/amparo/a.sock");
  EXPECT_EQ(profile.officer, "");
  EXPECT_EQ(profile.timeout, absl::Seconds(10));
}

TEST_F(ProfileTest, ReadsAnAddressWithItsCertificates) {
  const Profile profile =
      VALUE_OF(Load("address = \"agent.example:7000\"\nca = \"ca.pem\"\n"
                    "cert = \"/etc/c.pem\"\nkey = \"k.pem\"\n"));
  EXPECT_EQ(profile.socket, "");
  ASSERT_TRUE(profile.tls.has_value());
  EXPECT_EQ(profile.tls->address, "agent.example:7000");
  EXPECT_EQ(profile.tls->cert, "/etc/c.pem");
  EXPECT_TRUE(std::filesystem::path(profile.tls->ca).is_absolute());
}

TEST_F(ProfileTest, RefusesWhatIsWrong) {
  const std::string socket = "socket = \"a.sock\"\n";
  for (const std::string& text :
       {std::string(), std::string("socket = \n"),
        socket + "oficer = \"ana\"\n",           // misspelled
        socket + "officer = \"Ana Exemplo\"\n",  // no handle
        socket + "officer = \"ana\\nx\"\n", socket + "timeout_s = 0\n",
        socket + "timeout_s = \"10\"\n", socket + "language = \"xx\"\n",
        socket + "address = \"a:1\"\nca = \"c\"\ncert = \"c\"\nkey = \"k\"\n",
        std::string("address = \"a:1\"\n"),
        "socket = \"/" + std::string(107, 'x') + "\"\n"}) {
    const auto profile = Load(text);
    ASSERT_FALSE(profile.ok()) << text;
    EXPECT_EQ(ErrorCodeOf(profile.status()), "config") << text;
  }
}

TEST_F(ProfileTest, TakesASocketPathOf107Bytes) {
  EXPECT_OK(Load("socket = \"/" + std::string(106, 'x') + "\"\n"));
}

TEST_F(ProfileTest, SaysWhichFileIsMissing) {
  const auto profile = LoadProfile(directory_ + "/nowhere");
  EXPECT_EQ(ErrorCodeOf(profile.status()), "config");
  EXPECT_NE(DetailOf(profile.status())->hint, "");
}

}  // namespace
}  // namespace amparo::officer
