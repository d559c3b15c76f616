#include <grpcpp/create_channel.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "broker/daemon/data_dir.h"
#include "broker/daemon/listen_file.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "proto/grpc/credentials.h"
#include "proto/grpc/enrolment_client.h"
#include "proto/grpc/status.h"
#include "tests/support/child_process.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_charter.h"

// The program itself, as an operator and a service manager see it.

namespace amparo::broker {
namespace {

constexpr char kProgram[] = AMPARO_BROKER_PROGRAM;

class ProgramTest : public testing::Test {
 protected:
  // Runs a verb on the test's directory.
  Finished Verb(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), kProgram);
    arguments.insert(arguments.end(), {"--data", data.path()});
    return RunToEnd(arguments);
  }
  Finished Init() {
    return Verb({"init", "--name", "test-network", "--listen-members",
                 "127.0.0.1:0", "--listen-enrol", "127.0.0.1:0",
                 "--public-members", "127.0.0.1:0", "--public-enrol",
                 "127.0.0.1:0", "--json"});
  }
  // Starts `run` and waits, by the health service, until it serves.
  std::unique_ptr<ChildProcess> RunBroker() {
    auto child = std::make_unique<ChildProcess>(
        std::vector<std::string>{kProgram, "run", "--data", data.path()},
        folder.path());
    const Finished status = Verb({"status", "--wait-s", "30"});
    EXPECT_EQ(status.exit, 0) << status.err << child->Stderr();
    return child;
  }
  ListenFile Where() {
    return VALUE_OF(
        ParseListenFile(VALUE_OF(ReadFile(data.listen_file(), 1 << 16))));
  }
  absl::Status PublishFirstCharter() {
    const NetworkFile network = VALUE_OF(data.ReadNetworkFile());
    const absl::Time now = TimeFromUnix(UnixSeconds(absl::Now()));
    const TestCommittee committee;
    Charter draft = committee.Draft("test-network", network.log_key, {}, now);
    draft.members.push_back({VALUE_OF(MemberId::Parse("ong")),
                             "ONG (exemplo)",
                             MemberKind::kVictimSupport,
                             std::nullopt,
                             {},
                             "duty desk",
                             MemberStatus::kInvited,
                             now,
                             std::nullopt,
                             std::nullopt});
    return VALUE_OF(EnrolmentClient::Connect(network.enrol, network.ca_der))
        .PublishCharter(committee.Sign(draft), *network.founding_token);
  }

  ScratchFolder folder;
  DataDir data{folder / "data"};
};

mode_t ModeOf(const std::string& path) {
  struct stat info = {};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 0777;
}

TEST_F(ProgramTest, FoundsANetworkInADirectoryOfItsOwnerAlone) {
  const Finished init = Init();
  ASSERT_EQ(init.exit, 0) << init.err;
  const Json json = VALUE_OF(ParseJson(init.out));
  EXPECT_EQ(json["schema"], "broker_init/1");
  EXPECT_EQ(json["network"], "test-network");
  EXPECT_EQ(ModeOf(data.path()), 0700u);
  for (const std::string& secret :
       {data.ca().key, data.server_key(), data.log_key(), data.network_file()})
    EXPECT_EQ(ModeOf(secret), 0600u) << secret;
  EXPECT_OK(data.ReadConfig());
  EXPECT_TRUE(VALUE_OF(data.ReadNetworkFile()).founding_token.has_value());
}

TEST_F(ProgramTest, NeverFoundsOverAnother) {
  ASSERT_EQ(Init().exit, 0);
  const std::string before = VALUE_OF(ReadFile(data.network_file(), 1 << 16));
  const Finished again = Init();
  EXPECT_EQ(again.exit, 1);
  EXPECT_TRUE(again.out.empty());
  EXPECT_EQ(VALUE_OF(ParseJson(again.err))["code"], "conflict");
  EXPECT_EQ(VALUE_OF(ReadFile(data.network_file(), 1 << 16)), before);
}

TEST_F(ProgramTest, ServesDrainsOnSigtermAndKeepsItsPorts) {
  ASSERT_EQ(Init().exit, 0);
  const auto first = RunBroker();
  const ListenFile where = Where();
  EXPECT_FALSE(absl::EndsWith(where.listen.members, ":0"));
  EXPECT_EQ(VALUE_OF(ReadFile(data.metrics_address(), 1024)),
            where.metrics + "\n");
  // The enrolment port answers health checks of who has no certificate.
  const NetworkFile network = VALUE_OF(data.ReadNetworkFile());
  EXPECT_EQ(network.enrol, where.announced.enrol);
  const auto channel = MakeChannel(
      network.enrol,
      MakeClientCredentials({VALUE_OF(CertificatePem(network.ca_der)), "", ""}),
      1 << 20);
  grpc::ClientContext context;
  grpc::health::v1::HealthCheckResponse health;
  ASSERT_OK(FromGrpc(grpc::health::v1::Health::NewStub(channel)->Check(
      &context, {}, &health)));
  EXPECT_EQ(health.status(), grpc::health::v1::HealthCheckResponse::SERVING);

  first->Signal(SIGTERM);
  EXPECT_EQ(first->Wait(), 0) << first->Stderr();
  EXPECT_NE(first->Stderr().find("\"broker_ready\""), std::string::npos);
  EXPECT_NE(first->Stderr().find("\"broker_stopped\""), std::string::npos);
  EXPECT_EQ(Verb({"status"}).exit, 5);

  const auto second = RunBroker();
  EXPECT_EQ(Where().listen.members, where.listen.members);
  EXPECT_EQ(Where().listen.enrol, where.listen.enrol);
  second->Signal(SIGINT);
  EXPECT_EQ(second->Wait(), 0);
}

TEST_F(ProgramTest, InvitesAndExportsBesideTheRunningBroker) {
  ASSERT_EQ(Init().exit, 0);
  const auto broker = RunBroker();
  EXPECT_EQ(Verb({"invite", "ong"}).exit, 1);  // no charter yet
  ASSERT_OK(PublishFirstCharter());
  const Finished invite = Verb({"invite", "ong", "--json"});
  ASSERT_EQ(invite.exit, 0) << invite.err;
  const Invitation invitation = VALUE_OF(ParseInvitation(
      VALUE_OF(ParseJson(invite.out))["invitation"].get<std::string>()));
  EXPECT_EQ(invitation.enrol, Where().announced.enrol);
  const Finished stranger = Verb({"invite", "ghost", "--json"});
  EXPECT_EQ(stranger.exit, 3);
  EXPECT_EQ(VALUE_OF(ParseJson(stranger.err))["code"], "unknown_member");

  broker->Signal(SIGTERM);
  ASSERT_EQ(broker->Wait(), 0);
  const Finished written = Verb({"export", "--out", folder / "out", "--json"});
  ASSERT_EQ(written.exit, 0) << written.err;
  EXPECT_EQ(VALUE_OF(ParseJson(written.out))["size"], 1);
  EXPECT_TRUE(FileExists(folder / "out/checkpoint"));
}

TEST_F(ProgramTest, KeepsItsSocketToItsOwner) {
  ASSERT_EQ(Init().exit, 0);
  const auto broker = RunBroker();
  EXPECT_EQ(ModeOf(data.socket()), 0600u);
}

// A socket's address holds 107 bytes; a directory may lie deeper.
TEST_F(ProgramTest, ServesItsOperatorInADeepDirectory) {
  data = DataDir(folder / (std::string(120, 'd') + "/data"));
  ASSERT_EQ(Init().exit, 0);
  const auto broker = RunBroker();
  EXPECT_EQ(Verb({"status"}).exit, 0);
}

TEST_F(ProgramTest, JournalsNoTextOfGrpc) {
  ASSERT_EQ(Init().exit, 0);
  const auto broker = RunBroker();
  // A handshake that fails: no TLS at all.
  const auto plain = grpc::CreateChannel(Where().listen.members,
                                         grpc::InsecureChannelCredentials());
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(5)));
  grpc::health::v1::HealthCheckResponse health;
  EXPECT_FALSE(grpc::health::v1::Health::NewStub(plain)
                   ->Check(&context, {}, &health)
                   .ok());
  broker->Signal(SIGTERM);
  EXPECT_EQ(broker->Wait(), 0);
  for (absl::string_view line :
       absl::StrSplit(broker->Stderr(), '\n', absl::SkipEmpty()))
    EXPECT_OK(ParseJson(line)) << line;
}

TEST_F(ProgramTest, SurvivesBeingKilled) {
  ASSERT_EQ(Init().exit, 0);
  const auto broker = RunBroker();
  ASSERT_OK(PublishFirstCharter());
  broker->Signal(SIGKILL);
  EXPECT_EQ(broker->Wait(), -SIGKILL);
  const auto again = RunBroker();
  const NetworkFile network = VALUE_OF(data.ReadNetworkFile());
  EXPECT_EQ(
      VALUE_OF(VALUE_OF(EnrolmentClient::Connect(network.enrol, network.ca_der))
                   .GetNetwork())
          .charter_version,
      1u);
}

TEST_F(ProgramTest, ASecondBrokerDoesNotStartBesideTheFirst) {
  ASSERT_EQ(Init().exit, 0);
  const auto first = RunBroker();
  EXPECT_NE(Verb({"run"}).exit, 0);
  EXPECT_EQ(Verb({"status"}).exit, 0);
}

// The store alone was put back to yesterday: going on would fork the log.
TEST_F(ProgramTest, DoesNotStartBehindACheckpointThatItShowed) {
  ASSERT_EQ(Init().exit, 0);
  std::filesystem::copy(data.store(), folder / "yesterday",
                        std::filesystem::copy_options::recursive);
  auto broker = RunBroker();
  ASSERT_OK(PublishFirstCharter());
  broker->Signal(SIGTERM);
  ASSERT_EQ(broker->Wait(), 0);
  std::filesystem::remove_all(data.store());
  std::filesystem::copy(folder / "yesterday", data.store(),
                        std::filesystem::copy_options::recursive);
  const Finished refused = Verb({"run", "--json"});
  EXPECT_EQ(refused.exit, 6) << refused.err;
}

TEST_F(ProgramTest, RefusesADirectoryThatOthersMayEnter) {
  ASSERT_EQ(Init().exit, 0);
  ASSERT_EQ(chmod(data.path().c_str(), 0755), 0);
  EXPECT_EQ(Verb({"run"}).exit, 2);
}

TEST_F(ProgramTest, RefusesAKeyThatOthersMayRead) {
  ASSERT_EQ(Init().exit, 0);
  ASSERT_EQ(chmod(data.log_key().c_str(), 0640), 0);
  EXPECT_EQ(Verb({"run"}).exit, 2);
}

TEST_F(ProgramTest, ChecksItsConfigurationWithoutStarting) {
  ASSERT_EQ(Init().exit, 0);
  const Finished good = Verb({"run", "--check-config"});
  EXPECT_EQ(good.exit, 0);
  EXPECT_EQ(VALUE_OF(ParseJson(good.out))["network"], "test-network");
  const std::string text = VALUE_OF(ReadFile(data.config(), 1 << 16));
  ASSERT_OK(WriteFile(data.config(), text + "\n[extra]\nkey = 1\n",
                      FileMode::kPrivate));
  const Finished bad = Verb({"run", "--check-config", "--json"});
  EXPECT_EQ(bad.exit, 2);
  EXPECT_EQ(VALUE_OF(ParseJson(bad.err))["field"], "extra.key");
}

// Of two signals that wait, the one with the lower number comes first: SIGHUP.
TEST_F(ProgramTest, TakesTheJournalsLevelAgainOnSighup) {
  ASSERT_EQ(Init().exit, 0);
  const auto broker = RunBroker();
  const std::string text = VALUE_OF(ReadFile(data.config(), 1 << 16));
  ASSERT_OK(WriteFile(
      data.config(),
      absl::StrReplaceAll(text, {{"level = \"info\"", "level = \"error\""}}),
      FileMode::kPrivate));
  broker->Signal(SIGHUP);
  broker->Signal(SIGTERM);
  EXPECT_EQ(broker->Wait(), 0);
  EXPECT_EQ(broker->Stderr().find("\"broker_stopped\""), std::string::npos);
}

TEST_F(ProgramTest, KeepsItsConfigurationWhenTheNewOneIsWrong) {
  ASSERT_EQ(Init().exit, 0);
  const auto broker = RunBroker();
  ASSERT_OK(WriteFile(data.config(), "network = 1\n", FileMode::kPrivate));
  broker->Signal(SIGHUP);
  broker->Signal(SIGTERM);
  EXPECT_EQ(broker->Wait(), 0);
  EXPECT_NE(broker->Stderr().find("\"config_refused\""), std::string::npos);
  EXPECT_NE(broker->Stderr().find("\"broker_stopped\""), std::string::npos);
}

TEST_F(ProgramTest, SaysWhatItTakes) {
  EXPECT_EQ(RunToEnd({kProgram, "--help"}).exit, 0);
  const Finished version = RunToEnd({kProgram, "--version", "--json"});
  EXPECT_EQ(version.exit, 0);
  EXPECT_EQ(VALUE_OF(ParseJson(version.out))["program"], "amparo-broker");
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{kProgram},
        {kProgram, "dance"},
        {kProgram, "init"},
        {kProgram, "run", "--data"},
        {kProgram, "status", "--data", "x", "--wait-s", "-1"}})
    EXPECT_EQ(RunToEnd(wrong).exit, 2);
  EXPECT_EQ(RunToEnd({kProgram, "run", "--data", folder / "nothing"}).exit, 3);
}

}  // namespace
}  // namespace amparo::broker
