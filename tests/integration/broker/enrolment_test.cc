#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "broker/daemon/ca_change.h"
#include "broker/daemon/commands.h"
#include "crypto/random.h"
#include "proto/network/certificate_request.h"
#include "tests/support/broker_server.h"
#include "tests/support/relay_client.h"
#include "tests/support/status_matchers.h"

// The enrolment port: founding, charters, joining; and who tries without right.

namespace amparo::broker {
namespace {

using absl::StatusCode;

absl::Time Now() { return TimeFromUnix(UnixSeconds(absl::Now())); }

// A charter 1 for `broker`, signed by enough.
std::string FirstCharter(const BrokerServer& broker,
                         const std::string& title = "The first") {
  Charter draft = broker.committee().Draft(
      broker.network(), broker.network_file().log_key, {}, Now());
  draft.title = title;
  return broker.committee().Sign(draft);
}

// --- Founding and charters.

TEST(Founding, NeedsTheTokenThatInitWrote) {
  BrokerServer broker;
  const std::string charter = FirstCharter(broker);
  EXPECT_THAT(broker.Publish(charter), StatusIs(StatusCode::kPermissionDenied));
  EXPECT_THAT(broker.Publish(charter, RandomBytes(kFoundingTokenBytes)),
              StatusIs(StatusCode::kPermissionDenied));
  EXPECT_OK(broker.Publish(charter, *broker.network_file().founding_token));
}

TEST(Founding, HappensOnce) {
  BrokerServer broker;
  const Bytes token = *broker.network_file().founding_token;
  const std::string charter = FirstCharter(broker);
  ASSERT_OK(broker.Publish(charter, token));
  EXPECT_OK(broker.Publish(charter, token));  // the same: its answer was lost
  const absl::Status second =
      broker.Publish(FirstCharter(broker, "Another"), token);
  EXPECT_THAT(second, StatusIs(StatusCode::kAlreadyExists));
  EXPECT_EQ(ErrorCodeOf(second), "conflict");
}

TEST(Founding, TellsTheNetworkBeforeAndAfter) {
  BrokerServer broker;
  EXPECT_EQ(VALUE_OF(broker.Enrolment().GetNetwork()).charter_version, 0u);
  EXPECT_THAT(broker.Enrolment().GetCharter(0),
              StatusIs(StatusCode::kNotFound));
  broker.Found({"ong"});
  const auto network = VALUE_OF(broker.Enrolment().GetNetwork());
  EXPECT_EQ(network.charter_version, 1u);
  EXPECT_EQ(network.network, "test-network");
  EXPECT_EQ(network.members_address, broker.members_address());
}

TEST(Founding, IsLostToNobodyWhoReadsTheStore) {
  BrokerServer broker;
  const Bytes token = *broker.network_file().founding_token;
  broker.Stop();
  const ScratchFolder copy;
  std::filesystem::copy(broker.data().store(), copy.path(),
                        std::filesystem::copy_options::recursive);
  for (const auto& file :
       std::filesystem::recursive_directory_iterator(copy.path())) {
    if (!file.is_regular_file()) continue;
    EXPECT_EQ(
        VALUE_OF(ReadFile(file.path().string(), 64 << 20)).find(ToText(token)),
        std::string::npos);
  }
}

TEST(Charters, RefuseASecondDocumentForAVersion) {
  BrokerServer broker;
  broker.SetUp({"ong"});
  Charter draft = broker.NextDraft();
  ASSERT_OK(broker.Publish(broker.committee().Sign(draft)));
  draft.title = "Another one";
  EXPECT_THAT(broker.Publish(broker.committee().Sign(draft)),
              StatusIs(StatusCode::kAlreadyExists));
}

TEST(Charters, RefuseTooFewSignaturesAndAGap) {
  BrokerServer broker;
  broker.SetUp({"ong"});
  Charter draft = broker.NextDraft();
  EXPECT_THAT(broker.Publish(broker.committee().Sign(draft, 1)),
              StatusIs(StatusCode::kPermissionDenied));
  EXPECT_THAT(broker.Publish(TestCommittee().Sign(draft)),
              StatusIs(StatusCode::kPermissionDenied));
  ++draft.version;
  EXPECT_THAT(broker.Publish(broker.committee().Sign(draft)),
              StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(broker.Publish("{}"), StatusIs(StatusCode::kInvalidArgument));
}

// --- Nobody reached: the one cause.

TEST(EnrolmentPort, OfAnotherAuthorityIsNotBelieved) {
  BrokerServer broker;
  broker.Found({"ong"});
  const TlsKeyPair other = VALUE_OF(MakeCa(
      "other", absl::Now() - absl::Hours(1), absl::Now() + absl::Hours(1)));
  const auto client = VALUE_OF(EnrolmentClient::Connect(
      broker.enrol_address(), VALUE_OF(CertificateDer(other.certificate_pem))));
  EXPECT_EQ(ErrorCodeOf(client.GetNetwork().status()), "wrong_pin");
}

TEST(EnrolmentPort, ThatIsClosedIsSaidToBe) {
  BrokerServer broker;
  broker.Found({"ong"});
  const EnrolmentClient client = broker.Enrolment();
  const std::string where = broker.enrol_address();
  broker.Stop();
  const absl::Status closed = client.GetNetwork().status();
  EXPECT_EQ(ErrorCodeOf(closed), "broker_unreachable");
  EXPECT_EQ(
      closed.message(),
      absl::StrCat("nobody listens at the broker's enrolment port, ", where));
}

// --- Joining.

class JoinTest : public testing::Test {
 protected:
  explicit JoinTest(const BrokerServer::Settings& settings = {})
      : broker(settings) {
    broker.Found({"ong", "uls"});
    csr = VALUE_OF(MakeCsr(key, broker.network(), "ong"));
  }

  std::string RequestOf(absl::string_view name) {
    return SignJoinRequest(
        {broker.charter().network_id, broker.member(name).id(),
         broker.member(name).identity().verify_key(), witness.verify_key(),
         Now()},
        broker.member(name).identity());
  }
  // With a request for the certificate by the identity of the invited member.
  absl::Status Join(const Invitation& invitation, const std::string& request) {
    return JoinWith(
        invitation, request,
        broker.RequestFor(broker.member(invitation.member.text()), csr));
  }
  absl::Status JoinWith(const Invitation& invitation,
                        const std::string& request,
                        const std::string& certificate_request) {
    return broker.Enrolment()
        .Join(invitation, csr, request, certificate_request)
        .status();
  }

  BrokerServer broker;
  const SigningKey witness = SigningKey::Generate();
  TlsKeyPair key = VALUE_OF(MakeTlsKey());
  std::string csr;
};

TEST_F(JoinTest, GivesACertificateThatTheMembersPortTakes) {
  const std::string request = RequestOf("ong");
  key.certificate_pem =
      VALUE_OF(
          broker.Enrolment().Join(broker.Invite("ong"), csr, request,
                                  broker.RequestFor(broker.member("ong"), csr)))
          .certificate_pem;
  EXPECT_EQ(
      VALUE_OF(MemberOfCertificate(key.certificate_pem, broker.network())),
      "ong");
  v1::LogService::Stub log(broker.ChannelWith(&key));
  grpc::ClientContext context;
  v1::EntriesResponse response;
  v1::GetEntriesRequest entries;
  entries.set_count(1);
  EXPECT_OK(FromGrpc(log.GetEntries(&context, entries, &response)));
  // The committee finds what it has to compare.
  EXPECT_EQ(
      VALUE_OF(broker.Enrolment().GetJoinRequest(broker.member("ong").id())),
      request);
}

TEST_F(JoinTest, TakesAnInvitationOnce) {
  const Invitation invitation = broker.Invite("ong");
  const std::string request = RequestOf("ong");
  ASSERT_OK(Join(invitation, request));
  // The same keys, and all that is signed with them anew: its answer was lost.
  const std::string first_csr = csr;
  csr = VALUE_OF(MakeCsr(key, broker.network(), "ong"));
  ASSERT_NE(csr, first_csr);
  EXPECT_OK(Join(invitation, RequestOf("ong")));
  // Another key.
  key = VALUE_OF(MakeTlsKey());
  csr = VALUE_OF(MakeCsr(key, broker.network(), "ong"));
  const absl::Status used = Join(invitation, RequestOf("ong"));
  EXPECT_THAT(used, StatusIs(StatusCode::kPermissionDenied));
  EXPECT_EQ(ErrorCodeOf(used), "invitation_used");
}

TEST_F(JoinTest, RefusesAForgedInvitationAndAnotherMembers) {
  Invitation forged = broker.Invite("ong");
  forged.token = RandomBytes(16);
  EXPECT_EQ(ErrorCodeOf(Join(forged, RequestOf("ong"))), "invalid_invitation");
  Invitation stolen = broker.Invite("uls");
  stolen.member = broker.member("ong").id();
  EXPECT_EQ(ErrorCodeOf(Join(stolen, RequestOf("ong"))), "invalid_invitation");
}

TEST_F(JoinTest, ABadRequestDoesNotUseTheInvitationUp) {
  const Invitation invitation = broker.Invite("ong");
  csr = "no request";
  EXPECT_THAT(Join(invitation, RequestOf("ong")),
              StatusIs(StatusCode::kInvalidArgument));
  csr = VALUE_OF(MakeCsr(key, broker.network(), "ong"));
  EXPECT_FALSE(Join(invitation, RequestOf("uls")).ok());
  EXPECT_FALSE(Join(invitation, "no request").ok());
  EXPECT_OK(Join(invitation, RequestOf("ong")));
}

// Signing is dear, and one thread serves all strangers.
TEST_F(JoinTest, AttackWithoutAnInvitationNothingIsLookedAt) {
  Invitation forged = broker.Invite("ong");
  forged.token = RandomBytes(16);
  csr = "no request";
  EXPECT_EQ(ErrorCodeOf(JoinWith(forged, "no request", "")),
            "invalid_invitation");
}

// The name comes from the invitation, whatever the CSR asks for.
TEST_F(JoinTest, CertifiesTheInvitedMemberOnly) {
  csr = VALUE_OF(MakeCsr(key, broker.network(), "uls"));
  const auto joined =
      broker.Enrolment().Join(broker.Invite("ong"), csr, RequestOf("ong"),
                              broker.RequestFor(broker.member("ong"), csr));
  ASSERT_OK(joined);
  EXPECT_EQ(
      VALUE_OF(MemberOfCertificate(joined->certificate_pem, broker.network())),
      "ong");
}

// One that waits for the committee is not forgotten when the CA changes.
TEST_F(JoinTest, WhoJoinedAndWaitsFollowsTheCa) {
  const TlsKeyPair& ong = broker.Join("ong");
  VALUE_OF(NewCa(broker.data(), SystemClock()));
  const auto refused = SwitchCa(broker.data(), false, SystemClock());
  EXPECT_THAT(std::string(refused.status().message()),
              testing::EndsWith(": ong"));  // uls never joined
  csr = VALUE_OF(MakeCsr(ong, broker.network(), "ong"));
  v1::RenewCertificateRequest request;
  request.set_csr_pem(csr);
  RelayClient relay(broker.ChannelWith(&ong));
  const auto renew = [&] {
    return relay.Call<v1::RenewCertificateResponse>(
        &RelayClient::Stub::RenewCertificate, request);
  };
  request.set_request(broker.RequestFor(broker.member("uls"), csr));
  EXPECT_THAT(renew(), StatusIs(StatusCode::kPermissionDenied));
  request.set_request(broker.RequestFor(broker.member("ong"), csr));
  TlsKeyPair renewed{ong.private_key_pem.Copy(),
                     VALUE_OF(renew()).certificate_pem()};
  RelayClient again(broker.ChannelWith(&renewed));
  EXPECT_OK(again.Call<v1::CaResponse>(&RelayClient::Stub::GetCa,
                                       v1::GetCaRequest()));
  EXPECT_OK(SwitchCa(broker.data(), false, SystemClock()));
}

// --- Whoever got hold of an invitation of a member that works already.

class StolenInvitation : public JoinTest {
 protected:
  StolenInvitation() {
    broker.Join("ong");
    broker.AdmitWhoJoined();
  }
  // A join request in ong's name by a key of the thief's own.
  std::string ForeignRequest(const SigningKey& identity) {
    return SignJoinRequest(
        {broker.charter().network_id, broker.member("ong").id(),
         identity.verify_key(), witness.verify_key(), Now()},
        identity);
  }
  std::string CertificateRequestBy(const SigningKey& identity) {
    return SignCertificateRequest(
        {broker.charter().network_id, broker.member("ong").id(),
         Sha256(AsBytes(csr)), Now()},
        identity);
  }
};

TEST_F(StolenInvitation, AttackBringsNoCertificateForOtherKeys) {
  const Invitation stolen = broker.Invite("ong");
  const SigningKey own = SigningKey::Generate();
  const absl::Status refused =
      JoinWith(stolen, ForeignRequest(own), CertificateRequestBy(own));
  EXPECT_THAT(refused, StatusIs(StatusCode::kPermissionDenied));
  EXPECT_EQ(ErrorCodeOf(refused), "verification_failed");
  // With ong's own join request, which the enrolment port shows to anybody.
  const std::string shown =
      VALUE_OF(broker.Enrolment().GetJoinRequest(broker.member("ong").id()));
  for (const std::string& request :
       {CertificateRequestBy(own), std::string(),
        broker.RequestFor(broker.member("ong"), "another csr"),
        broker.RequestFor(broker.member("uls"), csr)})
    EXPECT_EQ(ErrorCodeOf(JoinWith(stolen, shown, request)),
              "verification_failed");
  EXPECT_EQ(
      VALUE_OF(broker.Enrolment().GetJoinRequest(broker.member("ong").id())),
      shown);
  // It was not used up, and brings the member itself back.
  EXPECT_OK(Join(stolen, RequestOf("ong")));
}

TEST_F(StolenInvitation, OtherKeysTakeTheOperatorsWord) {
  const SigningKey own = SigningKey::Generate();
  EXPECT_OK(JoinWith(broker.Invite("ong", /*new_identity=*/true),
                     ForeignRequest(own), CertificateRequestBy(own)));
  // Also from a broker that was not running.
  broker.Stop();
  const Invitation alone = broker.Invite("ong", /*new_identity=*/true);
  broker.Start();
  EXPECT_OK(JoinWith(alone, ForeignRequest(own), CertificateRequestBy(own)));
}

TEST_F(StolenInvitation, AttackIsWorthNothingOnceTheMemberLeft) {
  const Invitation kept = broker.Invite("ong");
  broker.SetStatus("ong", MemberStatus::kLeft);
  EXPECT_EQ(ErrorCodeOf(Join(kept, RequestOf("ong"))), "unknown_member");
}

TEST_F(JoinTest, InvitesNobodyWhomTheCharterDoesNotName) {
  const auto refused = Invite(broker.data(), "ghost", SystemClock());
  EXPECT_THAT(refused, StatusIs(StatusCode::kNotFound));
  EXPECT_EQ(ErrorCodeOf(refused.status()), "unknown_member");
  EXPECT_THAT(Invite(broker.data(), "No Name", SystemClock()),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST_F(JoinTest, InvitesWithoutARunningBrokerToo) {
  const Invitation beside = broker.Invite("ong");
  broker.Stop();
  const Invitation alone = broker.Invite("ong");
  broker.Start();
  EXPECT_EQ(beside.root, alone.root);
  EXPECT_EQ(beside.enrol, alone.enrol);
  EXPECT_NE(beside.token, alone.token);
  EXPECT_OK(Join(alone, RequestOf("ong")));
}

TEST_F(JoinTest, RefusesAnInvitationThatHasExpired) {
  broker.Stop();
  // A clock that is behind by more than an invitation's life.
  class PastClock final : public Clock {
    absl::Time Now() const override { return absl::Now() - absl::Hours(100); }
  };
  const PastClock past;
  const Answer answer = VALUE_OF(Invite(broker.data(), "ong", past));
  broker.Start();
  const Invitation old =
      VALUE_OF(ParseInvitation(answer.json["invitation"].get<std::string>()));
  const absl::Status refused = Join(old, RequestOf("ong"));
  EXPECT_THAT(refused, StatusIs(StatusCode::kPermissionDenied));
  EXPECT_EQ(ErrorCodeOf(refused), "invitation_expired");
}

}  // namespace
}  // namespace amparo::broker
