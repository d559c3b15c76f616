#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "base/error.h"
#include "proto/envelope/limits.h"
#include "tests/adversary/victims.h"

// Clocks that are wrong, a log that stands still, a charter that ran out: what
// must wait waits, says why, and goes on afterwards (docs/PROTOCOL.md, Clocks).

namespace amparo::agent {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);

class Clocks : public Victims {
 protected:
  void ExpectWaits(const std::string& referral, const char* field) {
    EXPECT_EQ(ong().time().InTheWay(), field);
    EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kQueued);
    EXPECT_FALSE(Knows(uls(), referral));
  }
  void ExpectArrived(const std::string& referral) {
    EXPECT_EQ(ong().time().InTheWay(), "");
    EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kDelivered);
    EXPECT_TRUE(Knows(uls(), referral));
    EXPECT_EQ(uls().intake().quarantined(), 0u);
    EXPECT_FALSE(HasAlarm(uls(), "gap"));
  }
  // The example's consent, but only until `until`.
  std::string RecordConsentUntil(absl::Time until) {
    return VALUE_OF(ong().consents().Record(
                        ong().officer(),
                        absl::StrReplaceAll(
                            kExampleConsentForm,
                            {{"2027-05-20T00:00:00Z", FormatUtc(until)}}),
                        {}, ""))
        .grant_id.text();
  }
  bool Allows(const std::string& consent) {
    SendRequest request;
    request.to = {"uls"};
    request.form_json = FormFor(request.to);
    request.consent = consent;
    request.dry_run = true;
    return VALUE_OF(ong().referrals().Send(ong().officer(), request)).allowed;
  }
  // The institutions' days go by, each with its turns.
  void LetDaysPass(int days) {
    for (int day = 0; day < days; ++day) {
      world_.clock().Advance(kDay);
      world_.Settle();
    }
  }
  void PublishCharter(const std::function<void(Charter&)>& change) {
    auto& broker = world_.broker();
    Charter next = broker.committee().Successor(broker.charter());
    change(next);
    VALUE_OF(broker.PublishCharter(broker.committee().Sign(next)));
  }
  size_t Rows(TestAgent& agent, const char* prefix) {
    size_t rows = 0;
    EXPECT_OK(agent.kv().Scan(prefix, "", [&](absl::string_view, ByteView) {
      ++rows;
      return true;
    }));
    return rows;
  }
};

class ClocksOffBy : public Clocks,
                    public testing::WithParamInterface<absl::Duration> {};

INSTANTIATE_TEST_SUITE_P(, ClocksOffBy, testing::Values(kDay, -kDay),
                         [](const auto& of) {
                           return of.param > absl::ZeroDuration()
                                      ? "ADayAhead"
                                      : "ADayBehind";
                         });

TEST_P(ClocksOffBy, AnAgentSendsNothingUntilItIsMended) {
  ong().SetClockOff(GetParam());
  const std::string referral = Refer();
  const uint64_t leaves = world_.broker().leaf_count();
  world_.Settle();
  ExpectWaits(referral, "clock");
  EXPECT_TRUE(HasAlarm(ong(), "clock"));
  EXPECT_FALSE(HasAlarm(uls(), "clock"));
  EXPECT_EQ(world_.broker().leaf_count(), leaves);  // no key, no anchor either

  ong().SetClockOff(absl::ZeroDuration());
  world_.Settle();
  ExpectArrived(referral);
  EXPECT_TRUE(ong().alarms().List().empty());
}

TEST_P(ClocksOffBy, AnAgentSaysWhatIsWrongAndForWhom) {
  ong().SetClockOff(GetParam());
  world_.Settle();
  const absl::Status status = ong().time().MaySeal();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
  const auto detail = DetailOf(status);
  ASSERT_TRUE(detail);
  EXPECT_EQ(detail->field, "clock");
  EXPECT_TRUE(detail->retryable);
  EXPECT_FALSE(detail->hint.empty());
  EXPECT_NE(status.message().find(GetParam() > absl::ZeroDuration() ? "ahead"
                                                                    : "behind"),
            absl::string_view::npos);
}

TEST_P(ClocksOffBy, ARecipientLosesNothing) {
  const std::string before = Refer();
  world_.Settle();
  uls().SetClockOff(GetParam());
  const std::string referral = Refer();
  world_.Settle();
  EXPECT_EQ(uls().intake().quarantined(), 0u);
  // Receipts bear a date: they wait.
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kSubmitted);
  uls().SetClockOff(absl::ZeroDuration());
  world_.Settle();
  ExpectArrived(referral);
  ExpectArrived(before);
}

TEST_P(ClocksOffBy, ABrokerStopsItsMembersUntilItIsMended) {
  const std::vector<std::string> all = {"gnr", "mp", "uls", "cpcj", "ong"};
  world_.clock().Advance(absl::Hours(2) + GetParam());
  for (const std::string& id : all) world_.agent(id).SetClockOff(-GetParam());
  const uint64_t leaves = world_.broker().leaf_count();
  const std::string referral = Refer();
  world_.Settle();
  ExpectWaits(referral, "clock");
  for (const std::string& id : all)
    EXPECT_TRUE(HasAlarm(world_.agent(id), "clock")) << id;
  // Its log bears none of the wrong times, so it goes on at once.
  EXPECT_EQ(world_.broker().leaf_count(), leaves);

  world_.clock().Advance(-GetParam());
  for (const std::string& id : all)
    world_.agent(id).SetClockOff(absl::ZeroDuration());
  world_.Settle();
  ExpectArrived(referral);
  for (const std::string& id : all)
    EXPECT_TRUE(world_.agent(id).alarms().List().empty()) << id;
}

TEST_P(ClocksOffBy, ABrokerRefusesWhatIsNotFreshAndSaysWhy) {
  auto& broker = world_.broker();
  broker.clock().Advance(absl::Hours(2));
  const Envelope envelope = broker.EnvelopeFrom("ong", "uls");
  broker.clock().Advance(GetParam());
  const auto refused = broker.Accept("ong", envelope);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition));
  const auto detail = DetailOf(refused.status());
  ASSERT_TRUE(detail);
  EXPECT_EQ(detail->field, "created");
  EXPECT_TRUE(detail->retryable);
  EXPECT_FALSE(detail->expected.empty());
  EXPECT_FALSE(detail->hint.empty());
}

// Otherwise its leaf would bear a time that every recipient refuses.
TEST_F(Clocks, ABrokerWhoseLogIsAheadTakesNothingUntilItsClockIsThere) {
  world_.clock().Advance(absl::Minutes(20));
  LogAnyway(Bytes{1, 2, 3});  // a leaf from then
  world_.clock().Advance(-absl::Minutes(20));
  const std::string referral = Refer();
  world_.Settle();
  ExpectWaits(referral, "clock");
  EXPECT_EQ(uls().intake().quarantined(), 0u);
  world_.clock().Advance(absl::Minutes(20));
  world_.Settle();
  ExpectArrived(referral);
}

// Its certificate of trust may be good all the same: what is decided by it
// waits.
TEST_F(Clocks, ARecipientADayAheadNeitherRefusesNorErasesWhatStillHolds) {
  const absl::Time until = world_.clock().Now() + absl::Hours(12);
  const std::string consent = RecordConsentUntil(until);
  const std::string held = ReferUnder(consent);
  world_.Settle();
  uls().SetClockOff(kDay);  // by its clock the consent is over
  const std::string referral = ReferUnder(consent);
  // And a wider grant makes it look through what it holds from before.
  VALUE_OF(ong().consents().Extend(ong().officer(), consent, R"({
    "schema":"consent_form/1","case":null,"jurisdiction":"PT","agreement":"given",
    "expressed_by":[{"party":"subject","capacity":"full","method":"signed_paper","at":"2026-11-21T09:00:00Z"}],
    "child_view":null,"language":"pt","interpreter":false,"notice":"notice-pt-3",
    "provisions":[{"effect":"permit","sections":["narrative"],"recipients":[{"member":"uls"}],
      "purposes":["health_care"],"direction":"send","redisclosure":"forbidden",
      "legal_basis":["A9-2-h"],"from":null,"until":null}],
    "exclusions":[],"statistics":"given","retention":"P5Y"})"));
  world_.Settle();
  uls().SetClockOff(absl::ZeroDuration());
  world_.Settle();
  EXPECT_EQ(uls().intake().quarantined(), 0u);
  for (const std::string& id : {held, referral}) {
    const ReferralView view =
        VALUE_OF(uls().referrals().Show(uls().officer(), id, {}, false));
    EXPECT_FALSE(view.sections.empty());
    for (const SectionView& section : view.sections)
      EXPECT_NE(section.status, SectionView::Status::kErased);
  }
}

TEST_F(Clocks, BetweenFiveMinutesAndAnHourItRingsAndBurnsNoLink) {
  ong().SetClockOff(absl::Minutes(4));
  const std::string fine = Refer();
  world_.Settle();
  ExpectArrived(fine);
  EXPECT_FALSE(HasAlarm(ong(), "clock"));

  ong().SetClockOff(absl::Minutes(20));
  const std::string referral = Refer();
  for (int i = 0; i < 10; ++i) world_.Settle();
  EXPECT_TRUE(HasAlarm(ong(), "clock"));
  ExpectWaits(referral, "clock");
  ong().SetClockOff(absl::ZeroDuration());
  world_.Settle();
  ExpectArrived(referral);  // no gap: nothing was numbered in vain
}

// The comparison is a minute old: the clock leapt since.
TEST_F(Clocks, WhatTheBrokerFindsNotFreshStaysADraftHoweverOften) {
  const std::string referral = Refer();
  ong().port().before_anchor = [&] { ong().SetClockOff(absl::Minutes(20)); };
  world_.Settle();
  ong().port().before_anchor = nullptr;
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kQueued);
  EXPECT_GT(ong().outbox().size(), 0u);
  ong().SetClockOff(absl::ZeroDuration());
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kDelivered);
}

TEST_F(Clocks, AnEnvelopeThatGrewStaleOnItsWayIsSealedAnewEachTime) {
  ong().port().divert = [](const Envelope&) {};  // sealed, and never arrives
  const std::string referral = Refer();
  // More often than an envelope that is refused for a reason is sealed anew.
  for (int outage = 0; outage < 8; ++outage) {
    world_.Settle();
    world_.clock().Advance(absl::Minutes(30));
    ong().port().divert = nullptr;
    const Envelope stale =
        VALUE_OF(ong().outbox().UnderWay(world_.broker().Id("uls")))->envelope;
    EXPECT_THAT(world_.broker().Accept("ong", stale),
                StatusIs(absl::StatusCode::kFailedPrecondition));
    if (outage < 7) ong().port().divert = [](const Envelope&) {};
  }
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kDelivered);
}

TEST_F(Clocks, AClockSetBackRevivesNoExpiredConsent) {
  const std::string consent =
      RecordConsentUntil(world_.clock().Now() + absl::Hours(2));
  EXPECT_TRUE(Allows(consent));
  for (int i = 0; i < 4; ++i) {
    world_.clock().Advance(absl::Minutes(50));
    world_.Settle();
  }
  EXPECT_FALSE(Allows(consent));
  // Even without a broker that would say so, and after a restart.
  ong().port().down = true;
  ong().SetClockOff(-absl::Hours(3));
  EXPECT_FALSE(Allows(consent));
  ong().Restart();
  EXPECT_FALSE(Allows(consent));
  EXPECT_OK(ong().time().Tick());
  EXPECT_TRUE(HasAlarm(ong(), "clock"));
}

TEST_F(Clocks, AClockThatLeptAheadDoesNotEndConsentsForGood) {
  const std::string consent = RecordConsent();
  ong().port().down = true;
  ong().SetClockOff(10 * 365 * kDay);
  EXPECT_OK(ong().time().Tick());
  EXPECT_FALSE(Allows(consent));  // while it says so: rather nothing
  ong().SetClockOff(absl::ZeroDuration());
  EXPECT_TRUE(Allows(consent));
  ong().port().down = false;
  world_.Settle();
  EXPECT_TRUE(Allows(consent));
}

TEST_F(Clocks, AQuietLogRaisesNoAlarm) {
  for (int hour = 0; hour < 20; ++hour) {
    world_.clock().Advance(absl::Hours(1));
    world_.Settle();
  }
  // And nobody was there for a week end.
  world_.clock().Advance(absl::Hours(60));
  world_.Settle();
  for (const char* id : {"gnr", "mp", "uls", "cpcj", "ong"})
    EXPECT_TRUE(world_.agent(id).alarms().List().empty()) << id;
  ExpectHonestTrafficFlows();
}

TEST_F(Clocks, ATimeThatTheLogDidNotSignIsNotBelieved) {
  const std::string note = world_.Checkpoint();
  const SigningKey stranger = SigningKey::Generate();
  Note parsed = VALUE_OF(ParseNote(note));
  parsed.signatures.pop_back();  // the log's word when it was
  EXPECT_THAT(ong().time().Compare(FormatNote(parsed), world_.clock().Now()),
              StatusIs(absl::StatusCode::kNotFound));
  const std::string lie = VALUE_OF(TimeCheckpoint(FormatNote(parsed), stranger,
                                                  world_.clock().Now() + kDay));
  EXPECT_THAT(ong().time().Compare(lie, world_.clock().Now()),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_FALSE(HasAlarm(ong(), "clock"));
}

TEST_F(Clocks, ALogThatCannotBeFollowedRingsAfterADayAndStopsAfterThree) {
  ong().port().tamper_entries = [](LeafIndex, std::vector<Bytes>) {
    return std::vector<Bytes>{ToBytes(AsBytes("not an entry"))};
  };
  LogAnyway(Bytes{1, 2, 3});
  world_.clock().Advance(kCheckpointAgeAlarm - absl::Hours(1));
  world_.Settle();
  EXPECT_FALSE(HasAlarm(ong(), "log_stale"));
  world_.clock().Advance(absl::Hours(2));
  world_.Settle();
  EXPECT_TRUE(HasAlarm(ong(), "log_stale"));
  EXPECT_EQ(ong().time().InTheWay(), "");
  world_.clock().Advance(kCheckpointAgeStop - kCheckpointAgeAlarm);
  const std::string referral = Refer();
  world_.Settle();
  ExpectWaits(referral, "log");
  ong().port().tamper_entries = nullptr;
  world_.Settle();
  EXPECT_FALSE(HasAlarm(ong(), "log_stale"));
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kDelivered);
}

TEST_F(Clocks,
       ACharterRingsBeforeItsEndTakesNoKeysAfterItAndThenNothingLeaves) {
  const absl::Time expires = world_.clock().Now() + 61 * kDay;
  PublishCharter([&](Charter& charter) { charter.expires = expires; });
  world_.Settle();
  EXPECT_FALSE(HasAlarm(ong(), "charter_expires"));
  LetDaysPass(2);
  EXPECT_TRUE(HasAlarm(ong(), "charter_expires"));
  // A shorter one: it ends before the keys are due to rotate.
  const absl::Time sooner = world_.clock().Now() + 40 * kDay;
  PublishCharter([&](Charter& charter) { charter.expires = sooner; });
  LetDaysPass(62);
  const MemberId& self = world_.broker().Id("ong");
  const auto signer = [&] {
    return *ong().peers().Now()->keys.CurrentSigner(self);
  };
  const LeafIndex old_key = signer().leaf;
  EXPECT_GT(world_.clock().Now(), signer().logged_at + kSigningKeyRotateAfter);
  EXPECT_LT(world_.clock().Now(), sooner + kCharterGrace);
  ExpectHonestTrafficFlows();  // with the keys there are

  LetDaysPass(8);
  const std::string referral = Refer();
  world_.Settle();
  ExpectWaits(referral, "charter");
  EXPECT_EQ(signer().leaf, old_key);

  PublishCharter([&](Charter& charter) {
    charter.expires = world_.clock().Now() + 400 * kDay;
  });
  world_.Settle();
  EXPECT_FALSE(HasAlarm(ong(), "charter_expires"));
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kDelivered);
  EXPECT_NE(signer().leaf, old_key);  // rotated at last
}

TEST_F(Clocks, ASuiteThatTheCharterForbidsIsNeitherSealedNorTaken) {
  uls().port().down = true;
  const std::string under_way = Refer();
  world_.Settle();
  PublishCharter([](Charter& charter) {
    charter.suites_allowed = {1, 2}, charter.suite_min = 2;
  });
  uls().port().down = false;
  const std::string referral = Refer();
  world_.Settle();
  ExpectWaits(referral, "suite");
  EXPECT_TRUE(HasAlarm(ong(), "suite"));
  EXPECT_FALSE(Knows(uls(), under_way));
  EXPECT_EQ(uls().intake().quarantined(), 1u);
  EXPECT_THAT(
      world_.broker().Accept("ong", world_.broker().EnvelopeFrom("ong", "uls")),
      StatusIs(absl::StatusCode::kFailedPrecondition));

  PublishCharter([](Charter& charter) { charter.suite_min = 1; });
  world_.Settle();
  EXPECT_FALSE(HasAlarm(ong(), "suite"));
  EXPECT_TRUE(Knows(uls(), referral));
  EXPECT_TRUE(HasAlarm(uls(), "gap"));
  LetResendsHappen();
  EXPECT_EQ(uls().intake().quarantined(), 1u);
  EXPECT_FALSE(HasAlarm(uls(), "gap"));
  EXPECT_EQ(DeliveryTo("uls", under_way), Delivery::kDelivered);
  EXPECT_TRUE(Knows(uls(), under_way));  // the gap that it left was asked for
}

TEST_F(Clocks, SeenIdsAreForgottenADayAfterTheyCouldComeAgain) {
  ong().beats = false;
  Refer();
  world_.Settle();
  const size_t seen = Rows(uls(), "in/seen/");
  ASSERT_GT(seen, 0u);
  EXPECT_EQ(Rows(uls(), "in/seen-end/"), seen);
  LetDaysPass(14);
  EXPECT_EQ(Rows(uls(), "in/seen/"), seen);
  LetDaysPass(2);
  EXPECT_EQ(Rows(uls(), "in/seen/"), 0u);
  EXPECT_EQ(Rows(uls(), "in/seen-end/"), 0u);
}

TEST_F(Clocks, AReplayAfterItsIdWasForgottenIsRefusedForItsDate) {
  ong().beats = false;
  std::optional<MailboxItem> first;
  uls().port().tamper = [&](MailboxItem item) -> std::optional<MailboxItem> {
    if (std::holds_alternative<Envelope>(item.event)) first = item;
    return item;
  };
  const std::string referral = Refer();
  world_.Settle();
  ASSERT_TRUE(first);
  LetDaysPass(16);
  ASSERT_EQ(Rows(uls(), "in/seen/"), 0u);
  const auto events = [&] {
    return uls()
        .cases()
        .FindByReferral(VALUE_OF(uls().cases().ResolveReferral(referral)))
        ->events.size();
  };
  const size_t before = events();
  // At its own leaf, and at a new one that a lying broker gave it.
  EXPECT_OK(uls().intake().Take(*first));
  const auto& envelope = std::get<Envelope>(first->event);
  const LeafReceipt again = LogAnyway(EncodeAuditEvent(EnvelopeEvent{
      envelope.header_bytes, BodyDigest(envelope.enc, envelope.ciphertext),
      envelope.signature}));
  world_.Settle();
  EXPECT_OK(uls().intake().Take({again, envelope}));
  EXPECT_EQ(events(), before);
  EXPECT_EQ(uls().intake().quarantined(), 1u);
}

}  // namespace
}  // namespace amparo::agent
