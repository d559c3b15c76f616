#include "broker/core/enrolment.h"

#include <string>

#include "base/error.h"
#include "broker/store/memory_store.h"
#include "proto/network/invitation.h"
#include "tests/support/broker_fixture.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

using absl::StatusCode;

const absl::Duration kLife = absl::Hours(72);
const Bytes kCsr = {1, 2, 3};

std::string JoinRequestOf(BrokerFixture& broker, absl::string_view name) {
  const TestMember& member = broker.member(name);
  return SignJoinRequest(
      {broker.charter().network_id, member.id(), member.identity().verify_key(),
       SigningKey::Generate().verify_key(), broker.clock().Now()},
      member.identity());
}

void ExpectRefused(const absl::Status& status, absl::string_view code) {
  EXPECT_THAT(status, StatusIs(StatusCode::kPermissionDenied));
  EXPECT_EQ(ErrorCodeOf(status), code);
}

TEST(Enrolment, LetsAnInvitationBeUsedOnce) {
  BrokerFixture broker({"clinic-a"});
  const auto invited =
      VALUE_OF(broker.enrolment().Invite(broker.Id("clinic-a"), kLife));
  EXPECT_EQ(invited.root, broker.charter().hash);
  EXPECT_EQ(invited.until, broker.clock().Now() + kLife);
  const std::string request = JoinRequestOf(broker, "clinic-a");
  EXPECT_OK(broker.enrolment().Join(broker.Id("clinic-a"), invited.token, kCsr,
                                    request));
  EXPECT_EQ(VALUE_OF(broker.enrolment().JoinRequestOf(broker.Id("clinic-a"))),
            request);
  // The very same request may be a retry; another key is another request.
  EXPECT_OK(broker.enrolment().Join(broker.Id("clinic-a"), invited.token, kCsr,
                                    request));
  ExpectRefused(broker.enrolment().Join(broker.Id("clinic-a"), invited.token,
                                        Bytes{9}, request),
                "invitation_used");
  ExpectRefused(
      broker.enrolment().Join(broker.Id("clinic-a"), invited.token, kCsr,
                              JoinRequestOf(broker, "clinic-a")),
      "invitation_used");
  EXPECT_EQ(VALUE_OF(broker.enrolment().JoinRequestOf(broker.Id("clinic-a"))),
            request);
}

TEST(Enrolment, RefusesAnInvitationThatExpired) {
  BrokerFixture broker({"clinic-a"});
  const auto invited =
      VALUE_OF(broker.enrolment().Invite(broker.Id("clinic-a"), kLife));
  const std::string request = JoinRequestOf(broker, "clinic-a");
  broker.clock().Advance(kLife + absl::Seconds(1));
  ExpectRefused(broker.enrolment().Join(broker.Id("clinic-a"), invited.token,
                                        kCsr, request),
                "invitation_expired");
  EXPECT_THAT(broker.enrolment().JoinRequestOf(broker.Id("clinic-a")),
              StatusIs(StatusCode::kNotFound));
}

TEST(Enrolment, RefusesAnInvitationOfSomebodyElse) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const auto invited =
      VALUE_OF(broker.enrolment().Invite(broker.Id("clinic-a"), kLife));
  ExpectRefused(
      broker.enrolment().Join(broker.Id("clinic-b"), invited.token, kCsr,
                              JoinRequestOf(broker, "clinic-b")),
      "invalid_invitation");
  ExpectRefused(
      broker.enrolment().Join(broker.Id("clinic-a"), Bytes(16, 0), kCsr,
                              JoinRequestOf(broker, "clinic-a")),
      "invalid_invitation");
  // Neither used it up.
  EXPECT_OK(broker.enrolment().Join(broker.Id("clinic-a"), invited.token, kCsr,
                                    JoinRequestOf(broker, "clinic-a")));
}

TEST(Enrolment, RefusesAJoinRequestThatDoesNotHold) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const auto invited =
      VALUE_OF(broker.enrolment().Invite(broker.Id("clinic-a"), kLife));
  for (const std::string& request :
       {std::string("no token"), JoinRequestOf(broker, "clinic-b")})
    EXPECT_FALSE(broker.enrolment()
                     .Join(broker.Id("clinic-a"), invited.token, kCsr, request)
                     .ok());
  EXPECT_OK(broker.enrolment().Join(broker.Id("clinic-a"), invited.token, kCsr,
                                    JoinRequestOf(broker, "clinic-a")));
}

TEST(Enrolment, InvitesOnlyWhomTheCharterNames) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  EXPECT_THAT(
      broker.enrolment().Invite(VALUE_OF(MemberId::Parse("ghost")), kLife),
      StatusIs(StatusCode::kNotFound));
  broker.SetStatus("clinic-b", MemberStatus::kLeft);
  EXPECT_THAT(broker.enrolment().Invite(broker.Id("clinic-b"), kLife),
              StatusIs(StatusCode::kNotFound));
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
