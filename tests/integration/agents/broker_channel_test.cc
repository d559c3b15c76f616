#include "agents/institution/daemon/broker_channel.h"

#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "absl/time/clock.h"
#include "agents/institution/rpc/broker_client.h"
#include "base/error.h"
#include "base/files.h"
#include "base/kv/memory_kv.h"
#include "crypto/x509.h"
#include "tests/support/broker_server.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"

// An agent's client certificate, renewed at a real broker.

namespace amparo::agent {
namespace {

class Renewal : public testing::Test {
 protected:
  Renewal() {
    server_.SetUp({"ong", "uls"});
    WriteCertificate(absl::Hours(24 * 100), absl::Hours(24));
    channel_ = std::make_unique<BrokerChannel>(BrokerChannel::Parts{
        .address = server_.members_address(),
        .network = server_.network(),
        .member = VALUE_OF(MemberId::Parse("ong")),
        .ca_pem = server_.ca_pem(),
        .key_pem = server_.KeyOf("ong").private_key_pem.Copy(),
        .certificate_file = file_,
        .keepalive = absl::Seconds(20)});
    client_ = std::make_unique<BrokerClient>(VALUE_OF(channel_->Open()));
    clock_.Set(absl::Now());
  }

  // One for ong that began `age` ago and ends in `left`.
  void WriteCertificate(absl::Duration age, absl::Duration left) {
    const absl::Time now = absl::Now();
    EXPECT_OK(WriteFile(
        file_,
        VALUE_OF(IssueMemberCertificate(Ca(), CsrOf("ong"), server_.network(),
                                        "ong", now - age, now + left)),
        FileMode::kPublic));
  }
  TlsKeyPair Ca() { return VALUE_OF(server_.data().ReadCa()); }
  std::string CsrOf(const std::string& member) {
    return VALUE_OF(MakeCsr({server_.KeyOf("ong").private_key_pem.Copy(), ""},
                            server_.network(), member));
  }
  std::string Present() { return VALUE_OF(ReadFile(file_, 1 << 20)); }

  absl::Status Renew() {
    return channel_->Renew(
        {[this](absl::string_view csr) -> absl::StatusOr<std::string> {
           ++asked_;
           return lie_ ? lie_(csr) : client_->RenewCertificate(csr);
         },
         [this](std::shared_ptr<grpc::Channel> channel) {
           client_->UseChannel(std::move(channel));
         }},
        *alarms_, clock_);
  }
  void ExpectRefused(std::function<std::string(absl::string_view csr)> lie) {
    lie_ = std::move(lie);
    const std::string before = Present();
    EXPECT_EQ(ErrorCodeOf(Renew()), "verification_failed");
    EXPECT_EQ(Present(), before);
    clock_.Advance(absl::Hours(2));  // it may ask again
  }
  bool Rings() { return alarms_->Has("certificate_ends", std::nullopt); }

  broker::BrokerServer server_;
  ScratchFolder folder_;
  const std::string file_ = folder_ / "certificate.pem";
  MemoryKv kv_;
  std::unique_ptr<Alarms> alarms_ = VALUE_OF(Alarms::Open(kv_));
  FakeClock clock_;
  std::unique_ptr<BrokerChannel> channel_;
  std::unique_ptr<BrokerClient> client_;
  std::function<std::string(absl::string_view csr)> lie_;
  int asked_ = 0;
};

TEST_F(Renewal, ComesAtTwoThirdsOfTheLife) {
  WriteCertificate(absl::Hours(60), absl::Hours(40));
  EXPECT_OK(Renew());
  EXPECT_EQ(asked_, 0);
  WriteCertificate(absl::Hours(70), absl::Hours(30));
  EXPECT_OK(Renew());
  EXPECT_EQ(asked_, 1);
  EXPECT_GT(VALUE_OF(CertificateEnd(Present())),
            absl::Now() + absl::Hours(700 * 24));
  EXPECT_OK(Renew());
  EXPECT_EQ(asked_, 1);
}

TEST_F(Renewal, GoesOnOnANewChannelAndStreamsComeBack) {
  std::atomic<int> notes = 0, streams = 0;
  std::thread reader([&] {
    while (streams < 2) {
      ++streams;
      client_->WatchCheckpoints([&](const ShownCheckpoint&) { return ++notes > 0; })
          .IgnoreError();
    }
  });
  while (notes == 0) std::this_thread::yield();
  const int before = notes;
  EXPECT_OK(Renew());
  while (notes == before) std::this_thread::yield();  // of the second stream
  EXPECT_OK(client_->GetCheckpoint());
  client_->StopStreams();
  reader.join();
  EXPECT_EQ(streams, 2);
  struct stat info = {};
  ASSERT_EQ(stat(file_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(Renewal, RingsWhenTheEndIsNearAndFallsSilentWhenItIsDone) {
  server_.Stop();
  EXPECT_TRUE(absl::IsUnavailable(Renew()));
  EXPECT_TRUE(Rings());
  EXPECT_OK(Renew());  // not at every turn
  EXPECT_EQ(asked_, 1);
  server_.Start();
  client_ = std::make_unique<BrokerClient>(VALUE_OF(channel_->Open()));
  clock_.Advance(absl::Hours(2));
  EXPECT_OK(Renew());
  EXPECT_FALSE(Rings());
}

TEST_F(Renewal, IsForActiveMembersOnly) {
  for (const MemberStatus status :
       {MemberStatus::kSuspended, MemberStatus::kLeft}) {
    server_.SetStatus("ong", status);
    EXPECT_THAT(client_->RenewCertificate(CsrOf("ong")),
                StatusIs(absl::StatusCode::kPermissionDenied));
  }
}

TEST_F(Renewal, GivesAnAttackerNoOtherName) {
  const std::string taken = VALUE_OF(client_->RenewCertificate(CsrOf("uls")));
  EXPECT_EQ(VALUE_OF(MemberOfCertificate(taken, server_.network())), "ong");
  EXPECT_FALSE(client_->RenewCertificate("no csr").ok());
  BrokerClient stranger(server_.ChannelWith(nullptr));
  EXPECT_FALSE(stranger.RenewCertificate(CsrOf("ong")).ok());
}

TEST_F(Renewal, TakesNothingFromABrokerThatIsNotForItself) {
  const absl::Time now = absl::Now(), later = now + absl::Hours(24 * 700);
  const auto issue = [&](const TlsKeyPair& ca, absl::string_view csr,
                         const char* member, absl::Time until) {
    return VALUE_OF(IssueMemberCertificate(ca, csr, server_.network(), member,
                                           now - absl::Hours(1), until));
  };
  const TlsKeyPair other_ca = VALUE_OF(MakeCa(server_.network(), now, later));
  const TlsKeyPair other_key = VALUE_OF(MakeTlsKey());
  const std::string other_csr =
      VALUE_OF(MakeCsr(other_key, server_.network(), "ong"));
  ExpectRefused(
      [](absl::string_view) { return std::string("no certificate"); });
  ExpectRefused([&](auto csr) { return issue(other_ca, csr, "ong", later); });
  ExpectRefused([&](auto csr) { return issue(Ca(), csr, "uls", later); });
  ExpectRefused([&](auto) { return issue(Ca(), other_csr, "ong", later); });
  ExpectRefused(
      [&](auto csr) { return issue(Ca(), csr, "ong", now + absl::Hours(1)); });
}

}  // namespace
}  // namespace amparo::agent
