#include "broker/daemon/ca_change.h"

#include <sys/stat.h>

#include <atomic>
#include <cstdio>
#include <future>

#include "absl/strings/str_cat.h"
#include "broker/rpc/server.h"
#include "proto/grpc/status.h"
#include "proto/network/ca_note.h"
#include "tests/integration/agents/channel_fixture.h"
#include "tests/support/in_between.h"
#include "tests/support/relay_client.h"

// The network's CA changes while a broker and its members work.

namespace amparo::agent {
namespace {

// While it lives, `path` cannot be written: a folder stands in its place.
class Blocked {
 public:
  explicit Blocked(std::string path) : path_(std::move(path)) {
    EXPECT_EQ(rename(path_.c_str(), aside().c_str()), 0);
    EXPECT_EQ(mkdir(path_.c_str(), 0700), 0);
  }
  ~Blocked() {
    EXPECT_EQ(remove(path_.c_str()), 0);
    EXPECT_EQ(rename(aside().c_str(), path_.c_str()), 0);
  }

 private:
  std::string aside() const { return path_ + ".aside"; }
  const std::string path_;
};

class CaChange : public AtTheBroker {
 protected:
  CaChange() {
    EXPECT_OK(Maintain());
    first_ = Network().ca_der;
  }

  void NewCa() { VALUE_OF(broker::NewCa(server_.data(), SystemClock())); }
  absl::Status Switch(bool at_once = false) {
    const auto answer =
        broker::SwitchCa(server_.data(), at_once, SystemClock());
    if (!answer.ok()) return answer.status();
    behind_ = answer->json["behind"].dump();
    behind_known_ = answer->json["behind_known"].get<bool>();
    return answer.status();
  }
  // uls comes with a certificate of the newest CA.
  void UlsFollows() {
    const TlsKeyPair& key = server_.KeyOf("uls");
    const auto cas = VALUE_OF(server_.data().ReadCas(server_.network_file()));
    TlsKeyPair renewed{key.private_key_pem.Copy(), ""};
    renewed.certificate_pem = Certificate(*cas.next, key, "uls");
    BrokerClient client(
        MakeChannel(server_.members_address(),
                    MakeClientCredentials({server_.ca_pem(),
                                           ToText(key.private_key_pem.Expose()),
                                           renewed.certificate_pem}),
                    1 << 20));
    EXPECT_OK(client.GetCa());
  }
  std::string Certificate(const TlsKeyPair& ca, const TlsKeyPair& key,
                          const std::string& member) {
    return VALUE_OF(IssueMemberCertificate(
        ca, VALUE_OF(MakeCsr(key, server_.network(), member)),
        server_.network(), member, absl::Now() - absl::Hours(1),
        absl::Now() + absl::Hours(24)));
  }
  bool CertificateIsOf(const Bytes& ca_der) {
    return CheckIssuedBy(Present(), VALUE_OF(CertificatePem(ca_der))).ok();
  }
  // By whom the ports' certificate is.
  bool ServerIsOf(const Bytes& ca_der) {
    return VALUE_OF(EnrolmentClient::Connect(server_.enrol_address(), ca_der))
        .GetNetwork()
        .ok();
  }

  // What this agent, with its files as they are, gets of something at another
  // address that has a certificate of `ca`: UNIMPLEMENTED where it believes it.
  absl::Status AskImpostor(const TlsKeyPair& ca) {
    const TlsKeyPair key = VALUE_OF(
        IssueServerCertificate(ca, {"127.0.0.1"}, absl::Now() - absl::Hours(1),
                               absl::Now() + absl::Hours(1)));
    const std::string key_file = folder_ / "impostor.key";
    const std::string file = folder_ / "impostor.pem";
    EXPECT_OK(WriteFile(key_file, ToText(key.private_key_pem.Expose()),
                        FileMode::kPrivate));
    EXPECT_OK(WriteFile(file, key.certificate_pem, FileMode::kPublic));
    const auto server = VALUE_OF(broker::RpcServer::Start(
        {.address = "127.0.0.1:0",
         .credentials = MakeServerCredentials({key_file, file, ""}),
         .services = {},
         .names = {},
         .message_bytes_max = 1 << 20,
         .streams_per_connection_max = 8}));
    BrokerChannel way({.address = absl::StrCat("127.0.0.1:", server->port()),
                       .network = server_.network(),
                       .member = server_.member("ong").id(),
                       .key_pem = server_.KeyOf("ong").private_key_pem.Copy(),
                       .network_file = network_file_,
                       .certificate_file = file_,
                       .keepalive = absl::Seconds(20)});
    return BrokerClient(VALUE_OF(way.Open())).GetCheckpoint().status();
  }

  Bytes first_;
  std::string behind_;
  bool behind_known_ = false;
};

TEST_F(CaChange, IsFollowedWithoutAGap) {
  NewCa();
  const Bytes next = *server_.network_file().next_ca_der;
  EXPECT_OK(client_->GetCheckpoint());
  EXPECT_OK(MaintainLater());
  EXPECT_EQ(Network().ca_der, first_);
  EXPECT_EQ(Network().next_ca_der, next);
  EXPECT_TRUE(CertificateIsOf(next));
  EXPECT_OK(client_->GetCheckpoint());
  EXPECT_OK(Maintain());  // so the broker learns who has followed
  UlsFollows();
  EXPECT_OK(Switch());
  EXPECT_EQ(behind_, "[]");
  EXPECT_TRUE(behind_known_);
  EXPECT_EQ(server_.network_file().ca_der, next);
  EXPECT_TRUE(ServerIsOf(next));  // at once: nobody who follows is shut out
  EXPECT_OK(client_->GetCheckpoint());
  EXPECT_OK(MaintainLater());
  EXPECT_EQ(Network().ca_der, next);
  EXPECT_EQ(Network().next_ca_der, std::nullopt);
  EXPECT_OK(client_->GetCheckpoint());
  // The same after a restart.
  server_.Stop();
  server_.Start();
  EXPECT_TRUE(ServerIsOf(next));
  EXPECT_FALSE(ServerIsOf(first_));
  EXPECT_OK(VALUE_OF(MakeClientOnNewChannel())->GetCheckpoint());
}

TEST_F(CaChange, MayHappenAgainAndAgain) {
  for (int i = 0; i < 3; ++i) {
    NewCa();
    EXPECT_THAT(broker::NewCa(server_.data(), SystemClock()),
                StatusIs(absl::StatusCode::kAlreadyExists));
    EXPECT_OK(MaintainLater());
    EXPECT_OK(Maintain());
    UlsFollows();
    ASSERT_OK(Switch());
    EXPECT_OK(MaintainLater());
    EXPECT_OK(client_->GetCheckpoint());
  }
  EXPECT_EQ(ErrorCodeOf(Switch()), "invalid_state");  // nothing to switch to
}

TEST_F(CaChange, WaitsForEveryMemberThatHasNotFollowed) {
  NewCa();
  absl::Status refused = Switch();
  EXPECT_EQ(ErrorCodeOf(refused), "invalid_state");
  EXPECT_THAT(std::string(refused.message()), testing::HasSubstr("ong uls"));
  EXPECT_OK(MaintainLater());
  EXPECT_OK(Maintain());
  refused = Switch();
  EXPECT_THAT(std::string(refused.message()), testing::EndsWith(": uls"));
  EXPECT_EQ(server_.network_file().ca_der, first_);
  EXPECT_OK(Switch(/*at_once=*/true));
  EXPECT_EQ(behind_, "[\"uls\"]");
}

TEST_F(CaChange, OnAStoppedBrokerTakesEffectAtItsStart) {
  server_.Stop();
  NewCa();
  EXPECT_EQ(ErrorCodeOf(Switch()), "invalid_state");  // who has followed?
  server_.Start();
  client_ = VALUE_OF(MakeClientOnNewChannel());
  EXPECT_OK(MaintainLater());
  EXPECT_TRUE(CertificateIsOf(*server_.network_file().next_ca_der));
  server_.Stop();
  EXPECT_OK(Switch(/*at_once=*/true));
  EXPECT_FALSE(behind_known_);
  server_.Start();
  EXPECT_OK(VALUE_OF(MakeClientOnNewChannel())->GetCheckpoint());
}

TEST_F(CaChange, WhoWasAwayForAllOfItIsToldWhy) {
  NewCa();
  ASSERT_OK(Switch(/*at_once=*/true));
  client_ = VALUE_OF(MakeClientOnNewChannel());
  EXPECT_TRUE(absl::IsUnavailable(MaintainLater()));
  EXPECT_TRUE(alarms_->Has("broker_ca", std::nullopt));
  // Its files are replaced beside it (amparo-agent reconnect): it goes on.
  WriteNetwork(server_.network_file());
  WriteCertificate(absl::Hours(1), absl::Hours(24 * 100));
  MaintainLater().IgnoreError();
  EXPECT_OK(MaintainLater());
  EXPECT_FALSE(alarms_->Has("broker_ca", std::nullopt));
  EXPECT_OK(client_->GetCheckpoint());
}

// It heard of the new CA, but has no certificate of it.
TEST_F(CaChange, WhoCouldNotRenewIsToldWhy) {
  lie_ = [](absl::string_view) { return std::string(); };
  NewCa();
  EXPECT_FALSE(MaintainLater().ok());
  EXPECT_EQ(Network().next_ca_der, server_.network_file().next_ca_der);
  EXPECT_FALSE(alarms_->Has("broker_ca", std::nullopt));
  ASSERT_OK(Switch(/*at_once=*/true));
  client_ = VALUE_OF(MakeClientOnNewChannel());
  EXPECT_FALSE(MaintainLater().ok());
  EXPECT_TRUE(alarms_->Has("broker_ca", std::nullopt));
}

TEST_F(CaChange, ARenewalThatFailedIsTriedAgainAtOnce) {
  NewCa();
  lie_ = [](absl::string_view) { return std::string(); };
  EXPECT_FALSE(MaintainLater().ok());
  EXPECT_EQ(asked_, 2);  // the first one was of the constructor
  lie_ = nullptr;
  EXPECT_OK(Maintain());
  EXPECT_EQ(asked_, 2);  // not at every turn
  clock_.Advance(absl::Seconds(15));
  EXPECT_OK(Maintain());
  EXPECT_TRUE(CertificateIsOf(*server_.network_file().next_ca_der));
}

// One that is suspended follows, too; it may come back.
TEST_F(CaChange, WaitsForWhoIsSuspended) {
  server_.SetStatus("uls", MemberStatus::kSuspended);
  NewCa();
  EXPECT_OK(MaintainLater());
  EXPECT_OK(Maintain());
  EXPECT_THAT(std::string(Switch().message()), testing::EndsWith(": uls"));
  UlsFollows();
  EXPECT_OK(Switch());
}

TEST_F(CaChange, ABrokerThatWasPutBackIsFollowed) {
  // Of a change that the broker knows nothing of any more.
  NetworkFile known = Network();
  known.ca_number =
      static_cast<uint64_t>(absl::ToUnixSeconds(absl::Now() - absl::Hours(1)));
  WriteNetwork(known);
  NewCa();
  EXPECT_OK(MaintainLater());
  EXPECT_EQ(Network().next_ca_der, server_.network_file().next_ca_der);
}

// --- What is stopped half-way.

TEST_F(CaChange, ANewCaThatFailedHalfWayGoesOn) {
  {
    const Blocked disk(server_.data().trusted_cas());
    EXPECT_FALSE(broker::NewCa(server_.data(), SystemClock()).ok());
  }
  const auto next = server_.network_file().next_ca_der;
  ASSERT_TRUE(next.has_value());
  NewCa();
  EXPECT_EQ(server_.network_file().next_ca_der, next);
  EXPECT_OK(MaintainLater());
  EXPECT_TRUE(CertificateIsOf(*next));
  EXPECT_OK(client_->GetCheckpoint());
}

// Members would come with its certificates, and be refused.
TEST_F(CaChange, ANewCaThatThePortsDoNotTakeIsToldToNobody) {
  EXPECT_OK(client_->GetCheckpoint());  // connected by now
  const std::string path = server_.data().server_key();
  const std::string key = VALUE_OF(ReadFile(path, 1 << 20));
  // Not the one of the ports' certificate: they do not follow their files.
  ASSERT_OK(WriteFile(path,
                      ToText(VALUE_OF(MakeTlsKey()).private_key_pem.Expose()),
                      FileMode::kPrivate));
  const absl::Status failed =
      broker::NewCa(server_.data(), SystemClock()).status();
  EXPECT_THAT(failed, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(ErrorCodeOf(failed), "broker_unreachable");
  EXPECT_OK(MaintainLater());
  EXPECT_EQ(Network().next_ca_der, std::nullopt);
  EXPECT_OK(client_->GetCheckpoint());

  ASSERT_OK(WriteFile(path, key, FileMode::kPrivate));
  const auto next = server_.network_file().next_ca_der;
  ASSERT_TRUE(next.has_value());
  NewCa();  // the same command goes on
  EXPECT_EQ(server_.network_file().next_ca_der, next);
  EXPECT_OK(MaintainLater());
  EXPECT_TRUE(CertificateIsOf(*next));
  EXPECT_OK(client_->GetCheckpoint());
}

// The broker looks at its own ports: how this machine reaches others is nothing
// to that.
TEST_F(CaChange, AProxyOnTheBrokersMachineIsNotInTheWay) {
  const InBetween refusing("403 Forbidden");
  const Environment proxy("https_proxy", "http://" + refusing.address());
  NewCa();
  EXPECT_OK(Switch(/*at_once=*/true));
  EXPECT_EQ(refusing.calls(), 0);
}

TEST_F(CaChange, ASwitchAfterANewCaThatFailedShutsNobodyOut) {
  {
    const Blocked disk(server_.data().trusted_cas());
    EXPECT_FALSE(broker::NewCa(server_.data(), SystemClock()).ok());
    EXPECT_FALSE(Switch().ok());
  }
  const absl::Status refused = Switch();
  EXPECT_EQ(ErrorCodeOf(refused), "invalid_state");
  EXPECT_THAT(std::string(refused.message()), testing::HasSubstr("ong uls"));
  EXPECT_EQ(server_.network_file().ca_der, first_);
  EXPECT_OK(MaintainLater());
  EXPECT_OK(Maintain());
  UlsFollows();
  EXPECT_OK(Switch());
  EXPECT_OK(client_->GetCheckpoint());
}

TEST_F(CaChange, ASwitchAtOnceAfterANewCaThatFailedSaysWhoIsShutOut) {
  {
    const Blocked disk(server_.data().trusted_cas());
    EXPECT_FALSE(broker::NewCa(server_.data(), SystemClock()).ok());
  }
  EXPECT_OK(Switch(/*at_once=*/true));
  EXPECT_EQ(behind_, "[\"ong\",\"uls\"]");
}

TEST_F(CaChange, ANewCaAfterASwitchThatFailedEndsItFirst) {
  NewCa();
  const Bytes second = *server_.network_file().next_ca_der;
  {
    const Blocked disk(server_.data().server_certificate());
    EXPECT_FALSE(Switch(/*at_once=*/true).ok());
  }
  NewCa();
  EXPECT_EQ(server_.network_file().ca_der, second);
  EXPECT_TRUE(ServerIsOf(second));
}

TEST_F(CaChange, AnInvitationMadeMeanwhileWorksBeforeAndAfter) {
  NewCa();
  const Invitation invitation = server_.Invite("ong");
  EXPECT_EQ(invitation.ca_der, first_);
  const auto reach = [&] {
    return VALUE_OF(EnrolmentClient::Connect(invitation.enrol,
                                             invitation.ca_der,
                                             invitation.next_ca_der))
        .GetNetwork();
  };
  EXPECT_OK(reach());
  ASSERT_OK(Switch(/*at_once=*/true));
  EXPECT_OK(reach());
  EXPECT_EQ(server_.Invite("ong").ca_der, server_.network_file().ca_der);
}

// --- A thief of the CA's key, for whom it is changed.

TEST_F(CaChange, AttackAThiefOfTheOldKeyGetsNoCertificateOfTheNewCa) {
  const TlsKeyPair stolen = Ca();
  NewCa();
  TlsKeyPair own = VALUE_OF(MakeTlsKey());
  own.certificate_pem = Certificate(stolen, own, "ong");
  BrokerClient thief(server_.ChannelWith(&own));
  EXPECT_OK(thief.GetCa());  // before the switch it is one of the network
  const std::string csr = VALUE_OF(MakeCsr(own, server_.network(), "ong"));
  const auto denied = StatusIs(absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(thief.RenewCertificate(csr), denied);
  // With a request that ong made, for its own key.
  EXPECT_THAT(thief.RenewCertificate(csr, RequestFor(CsrOf("ong"))), denied);
  // One of another key, member, network, time.
  const CertificateRequest good{
      server_.charter().network_id, server_.member("ong").id(),
      Sha256(AsBytes(csr)), TimeFromUnix(UnixSeconds(absl::Now()))};
  EXPECT_THAT(thief.RenewCertificate(
                  csr, SignCertificateRequest(good, SigningKey::Generate())),
              denied);
  const auto signed_anyway = [&](const CertificateRequest& request) {
    return SignCertificateRequest(request, server_.member("ong").identity());
  };
  CertificateRequest bad = good;
  bad.member = server_.member("uls").id();
  EXPECT_THAT(thief.RenewCertificate(csr, signed_anyway(bad)), denied);
  bad = good;
  bad.net = Sha256("another network");
  EXPECT_THAT(thief.RenewCertificate(csr, signed_anyway(bad)), denied);
  EXPECT_THAT(thief.RenewCertificate(
                  csr, RequestFor(csr, absl::Now() - absl::Minutes(11))),
              denied);
  EXPECT_OK(
      thief.RenewCertificate(csr, signed_anyway(good)));  // so it was that
}

TEST_F(CaChange, AttackTheOldKeyIsOfNoUseAfterTheSwitch) {
  const TlsKeyPair stolen = Ca();
  TlsKeyPair own = VALUE_OF(MakeTlsKey());
  own.certificate_pem = Certificate(stolen, own, "ong");
  BrokerClient before(server_.ChannelWith(&own));
  EXPECT_OK(before.GetCheckpoint());
  NewCa();
  ASSERT_OK(Switch(/*at_once=*/true));
  // On the connection that it had: calls and streams.
  EXPECT_EQ(ErrorCodeOf(before.GetCheckpoint().status()), "unknown_member");
  EXPECT_EQ(ErrorCodeOf(before.Subscribe(std::nullopt,
                                         [](MailboxItem) { return true; })),
            "unknown_member");
  EXPECT_FALSE(
      before.RenewCertificate(CsrOf("ong"), RequestFor(CsrOf("ong"))).ok());
  // On a new one.
  BrokerClient after(server_.ChannelWith(&own));
  EXPECT_FALSE(after.GetCheckpoint().ok());
  // Nor as the broker, to an agent that has followed.
  WriteNetwork(server_.network_file());
  EXPECT_TRUE(absl::IsUnavailable(AskImpostor(stolen)));
  EXPECT_TRUE(absl::IsUnimplemented(AskImpostor(Ca())));  // so it was the CA
}

TEST_F(CaChange, AttackTheOldKeyIsOfNoUseThoughTheSwitchFailsHalfWay) {
  const TlsKeyPair stolen = Ca();
  TlsKeyPair own = VALUE_OF(MakeTlsKey());
  own.certificate_pem = Certificate(stolen, own, "ong");
  BrokerClient before(server_.ChannelWith(&own));
  EXPECT_OK(before.GetCheckpoint());
  NewCa();
  EXPECT_OK(MaintainLater());
  EXPECT_OK(Maintain());
  {
    const Blocked disk(server_.data().server_certificate());
    EXPECT_FALSE(Switch(/*at_once=*/true).ok());
    EXPECT_EQ(ErrorCodeOf(before.GetCheckpoint().status()), "unknown_member");
    BrokerClient after(
        MakeChannel(server_.members_address(),
                    MakeClientCredentials({VALUE_OF(CertificatePem(first_)),
                                           ToText(own.private_key_pem.Expose()),
                                           own.certificate_pem}),
                    1 << 20));
    EXPECT_FALSE(after.GetCheckpoint().ok());
    EXPECT_OK(client_->GetCheckpoint());  // who followed is not cut off
  }
  EXPECT_OK(Switch());  // the same command goes on
  EXPECT_EQ(behind_, "[\"uls\"]");
  EXPECT_TRUE(ServerIsOf(server_.network_file().ca_der));
  EXPECT_OK(MaintainLater());
  EXPECT_EQ(Network().next_ca_der, std::nullopt);
}

TEST_F(CaChange, AttackStreamsOpenUnderTheOldCaEnd) {
  TlsKeyPair own = VALUE_OF(MakeTlsKey());
  own.certificate_pem = Certificate(Ca(), own, "ong");
  BrokerClient thief(server_.ChannelWith(&own));
  EXPECT_OK(RelayClient(server_.ChannelOf("uls"))
                .Submit(server_.EnvelopeFrom("uls", "ong"))
                .status());
  std::promise<void> mail, note;
  std::atomic<int> items = 0, notes = 0;
  auto mailbox = std::async(std::launch::async, [&] {
    return thief.Subscribe(std::nullopt, [&](MailboxItem) {
      if (++items == 1) mail.set_value();
      return true;
    });
  });
  auto log = std::async(std::launch::async, [&] {
    return thief.WatchCheckpoints([&](const ShownCheckpoint&) {
      if (++notes == 1) note.set_value();
      return true;
    });
  });
  mail.get_future().wait();
  note.get_future().wait();
  NewCa();
  ASSERT_OK(Switch(/*at_once=*/true));
  // One that goes on is CANCELLED here.
  mailbox.wait_for(std::chrono::seconds(10));
  log.wait_for(std::chrono::seconds(10));
  thief.StopStreams();
  const auto ended = StatusIs(absl::StatusCode::kUnavailable);
  EXPECT_THAT(mailbox.get(), ended);
  EXPECT_THAT(log.get(), ended);
}

// With a number that no file could be read with, from a copy of the log's key.
TEST_F(CaChange, AttackANumberOfATimeToComeHoldsNobodyBack) {
  const SigningKey log_key =
      VALUE_OF(server_.data().ReadLogKeys(server_.network_file())).key;
  const std::string file = VALUE_OF(ReadFile(network_file_, 1 << 20));
  for (const uint64_t number :
       {UINT64_MAX, uint64_t{1} << 63, uint64_t{253402300799}}) {
    ca_lie_ = [&] {
      return SignCaNote({server_.network(), number, first_, std::nullopt},
                        {&log_key});
    };
    EXPECT_FALSE(MaintainLater().ok());
    EXPECT_EQ(VALUE_OF(ReadFile(network_file_, 1 << 20)), file);
  }
  ca_lie_ = nullptr;
  NewCa();
  EXPECT_OK(MaintainLater());
  EXPECT_EQ(Network().next_ca_der, server_.network_file().next_ca_der);
}

TEST_F(CaChange, AttackOnlyTheLogsKeySaysWhichCaItIs) {
  const SigningKey thief = SigningKey::Generate();
  const Bytes evil =
      VALUE_OF(CertificateDer(VALUE_OF(MakeCa(server_.network(), absl::Now(),
                                              absl::Now() + absl::Hours(1)))
                                  .certificate_pem));
  const std::string file = VALUE_OF(ReadFile(network_file_, 1 << 20));
  ca_lie_ = [&] {
    return SignCaNote({server_.network(), 99, evil, std::nullopt}, {&thief});
  };
  EXPECT_EQ(ErrorCodeOf(MaintainLater()), "verification_failed");
  ca_lie_ = [&]() -> absl::StatusOr<std::string> {
    return std::string("no note");
  };
  EXPECT_FALSE(MaintainLater().ok());
  // An old word of the log's own key, after a newer one.
  const std::string old = VALUE_OF(client_->GetCa());
  EXPECT_EQ(VALUE_OF(ReadFile(network_file_, 1 << 20)), file);
  ca_lie_ = nullptr;
  NewCa();
  EXPECT_OK(MaintainLater());
  ca_lie_ = [&]() -> absl::StatusOr<std::string> { return old; };
  EXPECT_OK(MaintainLater());
  EXPECT_EQ(Network().next_ca_der, server_.network_file().next_ca_der);
}

}  // namespace
}  // namespace amparo::agent
