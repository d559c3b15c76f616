#include "broker/core/enrolment.h"

#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "broker/store/memory_store.h"
#include "crypto/x509.h"
#include "proto/network/certificate_request.h"
#include "proto/network/invitation.h"
#include "tests/support/broker_fixture.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

using absl::StatusCode;

const absl::Duration kLife = absl::Hours(72);

// A member with its TLS key that holds an invitation's token.
class Applying {
 public:
  Applying(BrokerFixture& broker, absl::string_view name)
      : broker_(broker), member_(broker.member(name)) {}

  // Signed anew at each call.
  Enrolment::Applicant With(ByteView token) const {
    const std::string csr = VALUE_OF(
        MakeCsr(tls_, broker_.charter().charter.network, member_.id().text()));
    return {member_.id(), Bytes(token.begin(), token.end()), csr,
            SignJoinRequest({broker_.charter().network_id, member_.id(),
                             member_.identity().verify_key(),
                             witness_.verify_key(), broker_.clock().Now()},
                            member_.identity()),
            RequestFor(csr)};
  }
  std::string RequestFor(const std::string& csr) const {
    return SignCertificateRequest(
        {broker_.charter().network_id, member_.id(), Sha256(AsBytes(csr)),
         TimeFromUnix(UnixSeconds(broker_.clock().Now()))},
        member_.identity());
  }

 private:
  BrokerFixture& broker_;
  const TestMember& member_;
  const SigningKey witness_ = SigningKey::Generate();
  const TlsKeyPair tls_ = VALUE_OF(MakeTlsKey());
};

void ExpectRefused(const absl::Status& status, absl::string_view code) {
  EXPECT_THAT(status, StatusIs(StatusCode::kPermissionDenied));
  EXPECT_EQ(ErrorCodeOf(status), code);
}

TEST(Enrolment, LetsAnInvitationBeUsedOnce) {
  BrokerFixture broker({"clinic-a"});
  const MemberId id = broker.Id("clinic-a");
  const auto invited = VALUE_OF(broker.enrolment().Invite(id, kLife));
  EXPECT_EQ(invited.root, broker.charter().hash);
  EXPECT_EQ(invited.until, broker.clock().Now() + kLife);
  const Applying applicant(broker, "clinic-a");
  const auto first = applicant.With(invited.token);
  EXPECT_OK(broker.enrolment().Join(first));
  EXPECT_EQ(VALUE_OF(broker.enrolment().JoinRequestOf(id)), first.join_request);
  // The same keys may come again: the answer may have been lost.
  broker.clock().Advance(absl::Hours(1));
  EXPECT_OK(broker.enrolment().Join(applicant.With(invited.token)));
  // Another TLS key and witness key is somebody else.
  ExpectRefused(
      broker.enrolment().Join(Applying(broker, "clinic-a").With(invited.token)),
      "invitation_used");
  EXPECT_EQ(VALUE_OF(broker.enrolment().JoinRequestOf(id)), first.join_request);
  broker.clock().Advance(kLife);
  ExpectRefused(broker.enrolment().Join(applicant.With(invited.token)),
                "invitation_expired");
}

TEST(Enrolment, RefusesAnInvitationThatExpired) {
  BrokerFixture broker({"clinic-a"});
  const auto invited =
      VALUE_OF(broker.enrolment().Invite(broker.Id("clinic-a"), kLife));
  broker.clock().Advance(kLife + absl::Seconds(1));
  ExpectRefused(
      broker.enrolment().CheckInvitation(broker.Id("clinic-a"), invited.token),
      "invitation_expired");
  ExpectRefused(
      broker.enrolment().Join(Applying(broker, "clinic-a").With(invited.token)),
      "invitation_expired");
  EXPECT_THAT(broker.enrolment().JoinRequestOf(broker.Id("clinic-a")),
              StatusIs(StatusCode::kNotFound));
}

TEST(Enrolment, RefusesAnInvitationOfSomebodyElse) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const auto invited =
      VALUE_OF(broker.enrolment().Invite(broker.Id("clinic-a"), kLife));
  const Applying applicant(broker, "clinic-a");
  ExpectRefused(
      broker.enrolment().Join(Applying(broker, "clinic-b").With(invited.token)),
      "invalid_invitation");
  ExpectRefused(broker.enrolment().Join(applicant.With(Bytes(16, 0))),
                "invalid_invitation");
  // Neither used it up.
  EXPECT_OK(broker.enrolment().Join(applicant.With(invited.token)));
}

TEST(Enrolment, RefusesRequestsThatDoNotHold) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const auto invited =
      VALUE_OF(broker.enrolment().Invite(broker.Id("clinic-a"), kLife));
  const Applying applicant(broker, "clinic-a");
  const auto good = applicant.With(invited.token);
  auto bad = good;
  bad.join_request = "no token";
  EXPECT_FALSE(broker.enrolment().Join(bad).ok());
  bad.join_request =
      Applying(broker, "clinic-b").With(invited.token).join_request;
  EXPECT_FALSE(broker.enrolment().Join(bad).ok());
  for (const std::string& request :
       {std::string(), applicant.RequestFor("another csr"),
        Applying(broker, "clinic-b").RequestFor(good.csr_pem)}) {
    bad = good;
    bad.certificate_request = request;
    ExpectRefused(broker.enrolment().Join(bad), "verification_failed");
  }
  EXPECT_OK(broker.enrolment().Join(good));
}

TEST(Enrolment, KnowsWhoHasJoinedAndWhoMayRenew) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const std::string csr = "a csr";
  EXPECT_THAT(
      broker.enrolment().Joined(),
      testing::ElementsAre(broker.Id("clinic-a"), broker.Id("clinic-b")));
  const Applying a(broker, "clinic-a"), b(broker, "clinic-b");
  EXPECT_OK(broker.enrolment().MayRenew(broker.Id("clinic-a"), csr,
                                        a.RequestFor(csr)));
  ExpectRefused(broker.enrolment().MayRenew(broker.Id("clinic-a"), csr,
                                            b.RequestFor(csr)),
                "verification_failed");
  const std::string old = a.RequestFor(csr);
  broker.clock().Advance(absl::Minutes(11));
  ExpectRefused(broker.enrolment().MayRenew(broker.Id("clinic-a"), csr, old),
                "verification_failed");
  broker.SetStatus("clinic-a", MemberStatus::kSuspended);
  broker.SetStatus("clinic-b", MemberStatus::kLeft);
  EXPECT_OK(broker.enrolment().MayRenew(broker.Id("clinic-a"), csr,
                                        a.RequestFor(csr)));
  ExpectRefused(broker.enrolment().MayRenew(broker.Id("clinic-b"), csr,
                                            b.RequestFor(csr)),
                "unknown_member");
  EXPECT_THAT(broker.enrolment().Joined(),
              testing::ElementsAre(broker.Id("clinic-a")));
}

TEST(Enrolment, InvitesOnlyWhomTheCharterNames) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  EXPECT_THAT(
      broker.enrolment().Invite(VALUE_OF(MemberId::Parse("ghost")), kLife),
      StatusIs(StatusCode::kNotFound));
  broker.SetStatus("clinic-b", MemberStatus::kLeft);
  const absl::Status left =
      broker.enrolment().Invite(broker.Id("clinic-b"), kLife).status();
  EXPECT_THAT(left, StatusIs(StatusCode::kNotFound));
  EXPECT_EQ(left.message(), "clinic-b has left the network");
  EXPECT_THAT(DetailOf(left)->hint, testing::HasSubstr("another id"));
  const auto empty = NewMemoryStore();
  broker.Restart(empty.get());
  EXPECT_THAT(broker.enrolment().Invite(broker.Id("clinic-a"), kLife),
              StatusIs(StatusCode::kFailedPrecondition));
}

TEST(Enrolment, KeepsNoToken) {
  BrokerFixture broker({"clinic-a"});
  const auto invited =
      VALUE_OF(broker.enrolment().Invite(broker.Id("clinic-a"), kLife));
  EXPECT_EQ(invited.token.size(), 16u);
  EXPECT_OK(broker.store().FindInvitation(Sha256(invited.token)));
  const Digest padded = [&] {
    std::array<uint8_t, 32> bytes = {};
    std::copy(invited.token.begin(), invited.token.end(), bytes.begin());
    return Digest(bytes);
  }();
  EXPECT_THAT(broker.store().FindInvitation(padded),
              StatusIs(StatusCode::kNotFound));
}

}  // namespace
}  // namespace amparo::broker
