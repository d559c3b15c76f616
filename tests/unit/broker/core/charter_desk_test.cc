#include "broker/core/charter_desk.h"

#include <string>

#include "base/error.h"
#include "broker/store/memory_store.h"
#include "tests/support/broker_fixture.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

using absl::StatusCode;

TEST(CharterDesk, PublishesTheNextCharter) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  Charter next = broker.committee().Successor(broker.charter());
  next.title = "Another title";
  const std::string document = broker.committee().Sign(next);
  const auto published = VALUE_OF(broker.PublishCharter(document));
  EXPECT_EQ(published.version, 2u);
  EXPECT_EQ(broker.charter().charter.title, "Another title");
  EXPECT_EQ(VALUE_OF(broker.charter_desk().Document(0)), document);
  EXPECT_EQ(VALUE_OF(broker.charter_desk().Document(2)), document);
  EXPECT_EQ(VALUE_OF(broker.audit_log().Document(Sha256(document))), document);
  EXPECT_THAT(broker.charter_desk().Document(3),
              StatusIs(StatusCode::kNotFound));
  // Envelopes made under the earlier one are still taken.
  EXPECT_EQ(broker.directory().Current()->versions.size(), 2u);
}

TEST(CharterDesk, RefusesASecondDocumentForAVersion) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  Charter next = broker.committee().Successor(broker.charter());
  const std::string first = broker.committee().Sign(next);
  const auto published = VALUE_OF(broker.PublishCharter(first));
  EXPECT_EQ(VALUE_OF(broker.PublishCharter(first)).leaf, published.leaf);
  next.title = "Another title";
  const absl::Status status =
      broker.PublishCharter(broker.committee().Sign(next)).status();
  EXPECT_THAT(status, StatusIs(StatusCode::kAlreadyExists));
  EXPECT_EQ(ErrorCodeOf(status), "conflict");
  EXPECT_EQ(broker.leaf_count(), 1u);
}

TEST(CharterDesk, RefusesWhatTooFewSigned) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const Charter next = broker.committee().Successor(broker.charter());
  EXPECT_THAT(broker.PublishCharter(broker.committee().Sign(next, 1)),
              StatusIs(StatusCode::kPermissionDenied));
  // Nor another committee's.
  const TestCommittee others;
  EXPECT_THAT(broker.PublishCharter(others.Sign(next)),
              StatusIs(StatusCode::kPermissionDenied));
  EXPECT_EQ(broker.leaf_count(), 0u);
}

TEST(CharterDesk, LogsASuspensionByTwoKeysOnce) {
  BrokerFixture broker({"clinic-a", "clinic-b", "clinic-c"});
  const std::string document = broker.SuspensionOf("clinic-b");
  const LeafIndex leaf = VALUE_OF(broker.Suspend(document));
  EXPECT_EQ(VALUE_OF(broker.Suspend(document)), leaf);
  EXPECT_EQ(broker.leaf_count(), 1u);
  const absl::Status sent =
      broker.Accept("clinic-b", broker.EnvelopeFrom("clinic-b", "clinic-a"))
          .status();
  EXPECT_EQ(ErrorCodeOf(sent), "member_suspended");
  EXPECT_EQ(ErrorCodeOf(broker
                            .Accept("clinic-a",
                                    broker.EnvelopeFrom("clinic-a", "clinic-b"))
                            .status()),
            "member_suspended");
  broker.Send("clinic-a", "clinic-c");
  // After a restart as well.
  broker.Restart();
  EXPECT_EQ(ErrorCodeOf(broker
                            .Accept("clinic-b",
                                    broker.EnvelopeFrom("clinic-b", "clinic-a"))
                            .status()),
            "member_suspended");
  // It ends by itself.
  broker.clock().Advance(kSuspensionLifeMax);
  EXPECT_OK(broker.directory().Current()->Active(broker.Id("clinic-b"),
                                                 broker.clock().Now()));
}

TEST(CharterDesk, RefusesAReinstatementThatWouldLiftNothing) {
  BrokerFixture broker({"clinic-a", "clinic-b", "clinic-c"});
  broker.clock().Advance(absl::Hours(1));
  ASSERT_OK(broker.Suspend(broker.SuspensionOf("clinic-b")));
  const absl::Time stopped = TimeFromUnix(UnixSeconds(broker.clock().Now()));
  const auto reinstate = [&](absl::Time since) {
    Charter next = broker.committee().Successor(broker.charter());
    for (Member& member : next.members)
      if (member.id == broker.Id("clinic-b")) member.since = since;
    return broker.PublishCharter(broker.committee().Sign(next)).status();
  };
  // By a clock that is a minute behind.
  const absl::Status refused = reinstate(stopped - absl::Minutes(1));
  EXPECT_EQ(ErrorCodeOf(refused), "invalid_state");
  EXPECT_THAT(std::string(refused.message()),
              testing::HasSubstr("would lift nothing"));
  // A charter about something else is none.
  broker.SetStatus("clinic-c", MemberStatus::kSuspended);
  EXPECT_OK(reinstate(stopped));
  EXPECT_OK(broker.directory().Current()->Active(broker.Id("clinic-b"),
                                                 broker.clock().Now()));
}

TEST(CharterDesk, RefusesASuspensionThatTwoKeysMayNotMake) {
  BrokerFixture broker({"clinic-a", "clinic-b", "clinic-c"});
  EXPECT_THAT(broker.Suspend(broker.SuspensionOf("clinic-b", 1)),
              StatusIs(StatusCode::kPermissionDenied));
  ASSERT_OK(broker.Suspend(broker.SuspensionOf("clinic-b")));
  // More than a third; the same one within thirty days.
  EXPECT_THAT(broker.Suspend(broker.SuspensionOf("clinic-c")),
              StatusIs(StatusCode::kFailedPrecondition));
  broker.clock().Advance(kSuspensionLifeMax);
  EXPECT_THAT(broker.Suspend(broker.SuspensionOf("clinic-b")),
              StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_OK(broker.Suspend(broker.SuspensionOf("clinic-c")));
  EXPECT_THAT(broker.Suspend("{}"), StatusIs(StatusCode::kInvalidArgument));
}

TEST(CharterDesk, RefusesAGapAndARollback) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  Charter next = broker.committee().Successor(broker.charter());
  ++next.version;
  EXPECT_THAT(broker.PublishCharter(broker.committee().Sign(next)),
              StatusIs(StatusCode::kFailedPrecondition));
  // A version that has been: only the document that was published then.
  const std::string first = broker.charter().document;
  broker.SetStatus("clinic-b", MemberStatus::kSuspended);
  EXPECT_EQ(VALUE_OF(broker.PublishCharter(first)).leaf, LeafIndex(0));
  EXPECT_EQ(broker.charter().charter.version, 2u);
}

TEST(CharterDesk, RefusesACharterForAnotherLog) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  Charter next = broker.committee().Successor(broker.charter());
  next.log_keys = {
      VALUE_OF(NoteVerifier::Create(broker.network(), NoteKeyType::kEd25519,
                                    SigningKey::Generate().verify_key()))};
  EXPECT_THAT(broker.PublishCharter(broker.committee().Sign(next)),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(broker.PublishCharter("{}"),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST(CharterDesk, FoundsANetworkOnlyWithTheTokenThatInitWrote) {
  BrokerFixture broker({});  // has a charter: take a store without one
  const auto store = NewMemoryStore();
  broker.Restart(store.get());
  const std::string first = broker.committee().Sign(broker.committee().Draft(
      broker.network(), broker.log(), {}, broker.clock().Now()));
  EXPECT_THAT(broker.PublishCharter(first, Bytes(16, 7)),
              StatusIs(StatusCode::kPermissionDenied));
  const Bytes token = VALUE_OF(broker.enrolment().MakeFoundingToken());
  EXPECT_THAT(broker.PublishCharter(first, Bytes(16, 7)),
              StatusIs(StatusCode::kPermissionDenied));
  EXPECT_THAT(broker.PublishCharter(first),
              StatusIs(StatusCode::kPermissionDenied));
  EXPECT_EQ(VALUE_OF(broker.PublishCharter(first, token)).leaf, LeafIndex(0));
  // Its answer may have been lost; a second version 1 is refused.
  EXPECT_OK(broker.PublishCharter(first));
  const TestCommittee others;
  EXPECT_THAT(broker.PublishCharter(
                  others.Sign(others.Draft(broker.network(), broker.log(), {},
                                           broker.clock().Now())),
                  token),
              StatusIs(StatusCode::kAlreadyExists));
}

}  // namespace
}  // namespace amparo::broker
