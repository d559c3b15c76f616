#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "tests/integration/agents/channel_fixture.h"

// An agent's client certificate, renewed at a real broker.

namespace amparo::agent {
namespace {

class Renewal : public AtTheBroker {};

TEST_F(Renewal, ComesAtTwoThirdsOfTheLife) {
  WriteCertificate(absl::Hours(60), absl::Hours(40));
  EXPECT_OK(Maintain());
  EXPECT_EQ(asked_, 0);
  WriteCertificate(absl::Hours(70), absl::Hours(30));
  EXPECT_OK(Maintain());
  EXPECT_EQ(asked_, 1);
  EXPECT_GT(VALUE_OF(CertificateEnd(Present())),
            absl::Now() + absl::Hours(700 * 24));
  EXPECT_OK(Maintain());
  EXPECT_EQ(asked_, 1);
}

TEST_F(Renewal, GoesOnOnANewChannelAndStreamsComeBack) {
  std::atomic<int> notes = 0, streams = 0;
  std::thread reader([&] {
    while (streams < 2) {
      ++streams;
      client_
          ->WatchCheckpoints(
              [&](const ShownCheckpoint&) { return ++notes > 0; })
          .IgnoreError();
    }
  });
  while (notes == 0) std::this_thread::yield();
  const int before = notes;
  EXPECT_OK(Maintain());
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
  EXPECT_TRUE(absl::IsUnavailable(Maintain()));
  EXPECT_TRUE(Rings());
  EXPECT_OK(Maintain());  // not at every turn
  EXPECT_EQ(asked_, 1);
  server_.Start();
  client_ = std::make_unique<BrokerClient>(VALUE_OF(channel_->Open()));
  clock_.Advance(absl::Hours(2));
  EXPECT_OK(Maintain());
  EXPECT_FALSE(Rings());
}

// One that is suspended may come back: it must not be shut out meanwhile.
TEST_F(Renewal, IsForWhoeverHasNotLeft) {
  server_.SetStatus("ong", MemberStatus::kSuspended);
  const std::string csr = CsrOf("ong");
  EXPECT_OK(client_->RenewCertificate(csr, RequestFor(csr)));
  server_.SetStatus("ong", MemberStatus::kLeft);
  EXPECT_THAT(client_->RenewCertificate(csr, RequestFor(csr)),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(Renewal, GivesAnAttackerNoOtherName) {
  const std::string csr = CsrOf("uls");
  const std::string taken =
      VALUE_OF(client_->RenewCertificate(csr, RequestFor(csr)));
  EXPECT_EQ(VALUE_OF(MemberOfCertificate(taken, server_.network())), "ong");
  EXPECT_FALSE(client_->RenewCertificate("no csr", RequestFor("no csr")).ok());
  BrokerClient stranger(server_.ChannelWith(nullptr));
  EXPECT_FALSE(
      stranger.RenewCertificate(CsrOf("ong"), RequestFor(CsrOf("ong"))).ok());
}

// Who has a certificate of the network's CA and its key, but not the identity.
TEST_F(Renewal, AttackACertificateAloneBringsNoOther) {
  const auto denied = StatusIs(absl::StatusCode::kPermissionDenied);
  const std::string csr = CsrOf("ong");
  EXPECT_THAT(client_->RenewCertificate(csr), denied);
  const TlsKeyPair own = VALUE_OF(MakeTlsKey());
  const std::string other = VALUE_OF(MakeCsr(own, server_.network(), "ong"));
  EXPECT_THAT(client_->RenewCertificate(other, RequestFor(csr)), denied);
  EXPECT_THAT(
      client_->RenewCertificate(
          csr, SignCertificateRequest({network_id_, server_.member("ong").id(),
                                       Sha256(AsBytes(csr)),
                                       TimeFromUnix(UnixSeconds(absl::Now()))},
                                      SigningKey::Generate())),
      denied);
  EXPECT_OK(client_->RenewCertificate(csr, RequestFor(csr)));
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
